"""The one way to ask: checks a conversation and admits it; records its reply, finds it again and
stops it."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from streamchat.chat.answers import Answers
from streamchat.chat.conversation import checked
from streamchat.chat.errands import Errands
from streamchat.chat.files import Files
from streamchat.chat.fullness import fullness
from streamchat.chat.idempotency import Idempotency
from streamchat.chat.journal import Journal
from streamchat.chat.kept_files import KeptFiles
from streamchat.chat.offers import Offer, offers
from streamchat.chat.parties import Asker, Sources
from streamchat.chat.pause import Pause
from streamchat.chat.replaying import following, replay
from streamchat.chat.telemetry import Telemetry
from streamchat.chat.trouble import Trouble
from streamchat.errors import ChatError, UnknownReply
from streamchat.events import Conversation, Errand, Event, Message
from streamchat.money import Budget
from streamchat.options import OWNERS, Choice, Menu
from streamchat.replies import Cache, Pace, Reply
from streamchat.store import Store
from streamchat.visitors import Limits

NOBODY = Asker()
# at once, of one visitor
MAX_REPEATS = 20


class Chat:
    """Answers conversations from the `sources`. Without a `menu`, visitors cannot choose the
    model."""

    def __init__(  # noqa: PLR0913 (each is a part that the composition root chooses)
        self,
        sources: Sources,
        store: Store,
        *,
        linger: float,
        keep: float,
        limits: Limits | None = None,
        menu: Menu | None = None,
        files: Files | None = None,
    ) -> None:
        self.source = sources.main
        self.files = files or Files()
        self.kept_files = KeptFiles(store, self.files)
        self.menu = menu or Menu([sources.main.model])
        self._accounts = sources.accounts
        self.limits = limits or Limits(
            rate="off", visitor_replies=sys.maxsize, max_replies=sys.maxsize
        )
        self.journal = Journal(store)
        self.pause = Pause(store)
        self.trouble = Trouble()
        self.pace = Pace()
        self._answers = Answers(
            sources, self._written, self.pause, self.trouble, linger=linger, keep=keep
        )
        self._errands = Errands(sources, self.pause, self._answers.soon)
        self._store = store
        self._linger = linger
        self._keep = keep
        self._replies = Cache(keep=keep)
        self._idempotency = Idempotency(self.resume)
        self._telemetry = Telemetry()
        self._repeats: Counter[str | None] = Counter()

    @property
    def running(self) -> int:
        """The number of replies that are being written."""
        return len(self._replies.running)

    @property
    def takes_keys(self) -> bool:
        """Whether visitors may ask with keys of their own."""
        return self._answers.takes_keys

    @property
    def budget(self) -> Budget | None:
        """The budget of the source; None if it costs nothing."""
        return self._answers.budget

    @property
    def is_paused(self) -> bool:
        """Whether the owner has paused the source, as far as is known."""
        return self.budget is not None and self.pause.since is not None

    def offers(self, visitor: str | None) -> Iterable[Offer]:
        """The models that the visitor may choose."""
        return offers(self.menu, self._accounts, visitor)

    def fullness(self, conversation: Conversation, choice: Choice, visitor: str | None) -> float:
        """How full the conversation is: from 1 on it gets no further answer. See
        `chat.fullness`."""
        return fullness(conversation, choice, self._accounts, visitor)

    def cheapest(self) -> Choice:
        """The cheapest model on offer, at its lowest effort and without thoughts."""
        model = self.menu.model
        if self._accounts:
            there = [model.id for model in self.menu.models.values() if not model.gone]
            model = min(there, key=self._accounts.least_of, default=model)
        return Choice(model, self.menu.efforts[0], thinking=False)

    def left(self, visitor: str) -> float | None:
        """Dollars that the visitor may spend today, 0 if they are too few for any answer. None if
        answers cost nothing."""
        return self._answers.left(visitor)

    def throttled(self) -> dict[str, float]:
        """Visitors over their rate limit, by their hash in the log, and the seconds until they may
        ask again."""
        return {
            self._telemetry.hash(visitor) or "": wait
            for visitor, wait in self.limits.throttled().items()
        }

    async def open(self) -> None:
        await self._store.open()
        await self.journal.open()
        self.trouble.remember(
            [entry for entry in self.journal.entries if entry.model == self.source.model]
        )
        await self.pause.open()
        await self._answers.open()

    async def source_error(self) -> ChatError | None:
        """Waits until the source has opened; returns the error if it cannot answer at present."""
        return await self._answers.source_error()

    async def close(self) -> None:
        """Stops every reply, settles the costs, writes to the store, and closes the sources."""
        replies = self._replies.running
        self.files.close()
        for reply in replies:
            reply.stop("shutdown")
        await asyncio.gather(*(reply.closed() for reply in replies), self._errands.close())
        await self._answers.settle()
        await self._store.close()
        await self._answers.close()

    async def check(self, asker: Asker) -> None:
        """Raises what refuses this asker whatever they ask, before anything is done for them."""
        self.limits.check(asker.visitor)
        await self._answers.check(asker)

    async def ask(
        self,
        messages: Sequence[Message],
        asker: Asker = NOBODY,
        *,
        once: str = "",
        choice: Choice = OWNERS,
    ) -> Reply:
        """Starts a reply to the conversation. Raises `Refused` if the question is refused.

        A conversation that ends with the assistant's words asks for the rest of them. Without an
        asker only the limits for all apply. The key `once` makes it idempotent: the same asker and
        key get the same reply. The `menu` must have checked the `choice`.
        """
        conversation = checked(messages)
        if not once:
            return await self._begin(conversation, asker, choice)
        return await self._idempotency.reply(
            once,
            conversation,
            asker,
            lambda: self._begin(conversation, asker, choice),
            choice=choice,
        )

    async def _begin(self, conversation: Conversation, asker: Asker, choice: Choice) -> Reply:
        with ExitStack() as places:
            places.callback(self.limits.admit(asker.visitor).leave)
            places.callback(self.files.hold(conversation, asker.visitor).leave)
            reply = await self._answers.begin(conversation, asker, choice)
            reply.on_end(lambda: self._replies.ended(reply))
            reply.on_end(places.pop_all().close)
        self._telemetry.follow(reply, asker.visitor)
        self._replies.add(reply, asker.visitor)
        self._store.follow(reply, asker.visitor)
        return reply

    async def run(self, errand: Errand, words: str, asker: Asker) -> Reply | None:
        """As `Errands.run`. It counts among what is spent, and not among the answers."""
        reply = await self._errands.run(errand, words, asker)
        if reply:
            self._telemetry.follow(reply, asker.visitor, event=errand.name)
            self._written(reply, asker.visitor, errand=errand.name)
        return reply

    def _written(self, reply: Reply, visitor: str | None, *, errand: str = "") -> None:
        """Records a reply that a source writes, from its beginning to its end."""
        self.journal.begin(reply, self._telemetry.hash(visitor))
        reply.on_end(lambda: self._answers.soon(self.journal.end(reply, errand=errand)))

    async def resume(self, reply_id: str, *, however_old: bool = False) -> Reply:
        """The reply with that id, running or ended, also from before a restart. Raises
        `UnknownReply`."""
        try:
            return self._replies.get(reply_id)
        except UnknownReply:
            since = 0 if however_old else time.time() - self._keep
            if log := await self._store.log(reply_id, since=since):
                return await self._replayed(reply_id, log)
            raise

    async def stop(self, reply_id: str) -> None:
        """Stops the reply if it still runs; raises `UnknownReply`."""
        (await self.resume(reply_id)).stop()

    def repeat(self, reply: Reply, visitor: str | None = None) -> Reply:
        """A copy of a running reply. Stopping the copy does not stop the original.

        The copy has the same id, which finds the original. Returns the original itself to a visitor
        who has `MAX_REPEATS` copies.
        """
        if self._repeats[visitor] >= MAX_REPEATS:
            return reply
        self._repeats[visitor] += 1
        repeated = Reply(lambda _: following(reply), linger=self._linger, reply_id=reply.id)
        repeated.on_end(lambda: self._forget_repeat(visitor))
        return repeated

    def _forget_repeat(self, visitor: str | None) -> None:
        self._repeats[visitor] -= 1
        # drops visitors without copies
        self._repeats += Counter()

    async def _replayed(self, reply_id: str, log: list[Event]) -> Reply:
        reply = Reply(lambda _: replay(log), linger=self._linger, reply_id=reply_id)
        reply.on_end(lambda: self._replies.ended(reply))
        self._replies.add(reply)
        await reply.closed()
        return reply
