"""The one way to ask: a conversation is checked and admitted, a reply is started, found again and stopped."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from streamchat.account import Account, Accounts
from streamchat.budget import Budget
from streamchat.cache import Cache
from streamchat.errors import DayIsSpent, EmptyMessage, Paused, TooLong, UnknownReply, VisitorIsSpent
from streamchat.events import Conversation, Ending, Event, Message, Notice, Receipt, Request
from streamchat.journal import Journal
from streamchat.limits import Limits
from streamchat.pause import Pause
from streamchat.reply import Reply
from streamchat.store import Store
from streamchat.telemetry import Telemetry, receipt

MAX_CHARACTERS = 4_000_000  # of a conversation: about a million tokens, more than any model takes


class Source(Protocol):
    """Who answers. `stream` ends with exactly one `Done`, or raises a `ChatError`."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    def stream(self, request: Request) -> AsyncGenerator[Event]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Chat:
    """`spare` answers where there is no money for the source; `accounts` is None for a source that costs none."""

    def __init__(  # noqa: PLR0913 (each is a part that the composition root chooses)
        self,
        source: Source,
        store: Store,
        *,
        linger: float,
        keep: float,
        limits: Limits | None = None,
        accounts: Accounts | None = None,
        spare: Source | None = None,
    ) -> None:
        self.source = source
        self.journal = Journal(store)
        self.pause = Pause(store)
        self._store = store
        self._linger = linger
        self._keep = keep
        self._limits = limits or Limits(rate="off", visitor_replies=sys.maxsize, max_replies=sys.maxsize)
        self._accounts = accounts
        self._spare = spare
        self._replies = Cache(keep=keep)
        self._telemetry = Telemetry()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many replies are being written."""
        return len(self._replies.running)

    @property
    def budget(self) -> Budget | None:
        """What may be spent on the source; None if it costs nothing."""
        return self._accounts.budget if self._accounts else None

    def throttled(self) -> dict[str, float]:
        """Who has asked too often, as the log names them, and for how many seconds yet."""
        return {self._telemetry.hash(visitor) or "": wait for visitor, wait in self._limits.throttled().items()}

    async def open(self) -> None:
        await self._store.open()
        await self.journal.open()
        await self.pause.open()
        if self._accounts:
            await self._accounts.budget.open()
        self._soon(self.source.open())

    async def close(self) -> None:
        """Stops every reply, settles what it cost, writes what is to survive, and lets the source go."""
        replies = self._replies.running
        for reply in replies:
            reply.stop("shutdown")
        await asyncio.gather(*(reply.closed() for reply in replies))
        await asyncio.sleep(0)  # for what comes at a reply's end to begin
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
        await self._store.close()
        await self.source.close()

    async def ask(self, messages: Sequence[Message], *, visitor: str | None = None, or_spare: bool = False) -> Reply:
        """Starts a reply to the conversation; raises `Refused` if there is none to give.

        A conversation that ends with the assistant's words asks for the rest of them. Without a `visitor` only the
        limits for all hold. Where there is no money left or the source is paused, a reader who wants one gets a reply
        of the spare source.
        """
        conversation = checked(messages)
        admission = self._limits.admit(visitor)
        try:
            reply = await self._started(conversation, visitor, or_spare=or_spare)
        except BaseException:
            admission.leave()
            raise
        reply.on_end(admission.leave)
        reply.on_end(lambda: self._telemetry.record(reply.ending, visitor) if reply.ending else None)
        self.journal.begin(reply, self._telemetry.hash(visitor))
        reply.on_end(lambda: self._soon(self.journal.end(reply)))
        self._replies.add(reply)
        self._store.follow(reply)
        return reply

    async def _started(self, conversation: Conversation, visitor: str | None, *, or_spare: bool) -> Reply:
        if self._accounts is None:
            return self._reply(self.source.stream(Request(conversation)), self.source)
        account = self._accounts.open(visitor)
        try:
            self.pause.check()
            await account.call(conversation)
        except (DayIsSpent, VisitorIsSpent, Paused) as refusal:
            if not or_spare or self._spare is None:
                raise
            return self._reply(instead(refusal.message, self._spare.stream(Request(conversation))), self._spare)
        account.reply = self._reply(self.source.stream(Request(conversation, again=account.call)), self.source, account)
        account.reply.on_end(lambda: self._soon(account.settle()))
        return account.reply

    def _reply(self, events: AsyncGenerator[Event], source: Source, account: Account | None = None) -> Reply:
        def receipted(ending: Ending) -> Receipt:
            cost, saved = (account.cost(), account.saved()) if account else (0.0, 0.0)
            return receipt(reply, ending, model=source.model, cost=cost, saved=saved)

        reply = Reply(events, linger=self._linger)
        reply.receipt = receipted
        reply.on_end(lambda: self._replies.ended(reply))
        return reply

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def resume(self, reply_id: str, *, however_old: bool = False) -> Reply:
        """The reply of that id, running or ended, also from before a restart; raises `UnknownReply`."""
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

    async def _replayed(self, reply_id: str, log: list[Event]) -> Reply:
        reply = Reply(replay(log), linger=self._linger, reply_id=reply_id)
        reply.on_end(lambda: self._replies.ended(reply))
        self._replies.add(reply)
        await reply.closed()
        return reply


async def replay(log: list[Event]) -> AsyncGenerator[Event]:
    for event in log:
        yield event


async def instead(why: str, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The events of another source, with the reason for it."""
    yield Notice(f"{why} Until then the demo answers.", instead=True)
    async with aclosing(events):
        async for event in events:
            yield event


def checked(messages: Sequence[Message]) -> Conversation:
    """The conversation as a source wants it: turns alternate, none is empty, the first is the user's."""
    if not messages or not messages[-1].text.strip():
        raise EmptyMessage
    turns: list[Message] = []
    for message in messages:
        if not message.text.strip() or (not turns and message.role == "assistant"):
            continue
        if turns and turns[-1].role == message.role:
            turns[-1] = Message(message.role, f"{turns[-1].text}\n\n{message.text}")
        else:
            turns.append(message)
    if not turns:
        raise EmptyMessage
    if sum(len(turn.text) for turn in turns) > MAX_CHARACTERS:
        raise TooLong
    return tuple(turns)
