"""Chooses the source that answers a conversation, and the account that pays for it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import astuple, replace
from functools import partial
from typing import Any

from streamchat.chat.paid import paid, was_stopped
from streamchat.chat.parties import Asker, Source, Sources, key_of
from streamchat.chat.pause import Pause
from streamchat.chat.telemetry import receipt
from streamchat.chat.trouble import Trouble
from streamchat.chat.writing import instead, writing
from streamchat.errors import (
    ChatError,
    InternalError,
    NoOwnKeys,
    Paused,
    Spent,
    trace,
)
from streamchat.events import Conversation, Ending, Receipt, Request
from streamchat.money import Account, Accounts, Budget
from streamchat.options import OWNERS, Choice
from streamchat.replies import Reply, Share, Shares, Write
from streamchat.texts import for_owner, worded
from streamchat.visitors import Local

logger = logging.getLogger(__name__)


class Answers:
    """Begins replies. Calls `written` with every reply that a source writes, and with its
    visitor."""

    def __init__(  # noqa: PLR0913 (each is a part that the chat chooses)
        self,
        sources: Sources,
        written: Callable[[Reply, str | None], None],
        pause: Pause,
        trouble: Trouble,
        *,
        linger: float,
        keep: float,
    ) -> None:
        self._main = sources.main
        self._spare = sources.spare
        self._own = sources.own
        self._accounts = sources.accounts
        self._shared = sources.shared
        self._written = written
        self._pause = pause
        self._trouble = trouble
        self._linger = linger
        self._shares = Shares(keep=keep)
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[ChatError | None] | None = None

    @property
    def takes_keys(self) -> bool:
        return self._own is not None

    def left(self, visitor: str) -> float | None:
        """Dollars that the visitor may spend today, 0 if they are too few for any answer. None if
        answers cost nothing."""
        if self._accounts is None or self._accounts.budget is None:
            return None
        left = self._accounts.budget.left_without_reserved(visitor)
        return left if left >= self._accounts.least else 0

    @property
    def budget(self) -> Budget | None:
        """The budget of the source; None if it costs nothing."""
        return self._accounts.budget if self._accounts else None

    async def open(self) -> None:
        if self.budget:
            await self.budget.open()
        self._opening = asyncio.create_task(self._open_source())

    async def source_error(self) -> ChatError | None:
        """Waits until the source has opened; returns the error if it cannot answer at present."""
        return await asyncio.shield(self._opening) if self._opening else None

    async def _open_source(self) -> ChatError | None:
        try:
            await self._main.open()
        except ChatError as error:
            self._trouble.started(error)
            logger.warning("%s", for_owner(error.cause) or worded(error))
            return error
        # the chat goes on, and tries again with the first question
        except Exception as error:  # noqa: BLE001
            # its message may hold a secret
            logger.error("%s could not be opened: %s", self._main.name, trace(error))  # noqa: TRY400
            return InternalError()
        if before := self._trouble.error:
            logger.warning(
                "When Claude was last asked, it did not answer. %s", for_owner(before.cause)
            )
        return before

    async def settle(self) -> None:
        """Waits, at most a second, until the costs of ended replies are settled."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    async def close(self) -> None:
        if self._opening:
            self._opening.cancel()
        await self._main.close()
        if self._own and self._own is not self._main:
            await self._own.close()

    async def check(self, asker: Asker) -> None:
        """Raises what `begin` would raise for any conversation: `Paused`, or `BadKey`."""
        if not key_of(asker) and self.budget and not asker.or_spare:
            await self._pause.check()

    async def begin(
        self, conversation: Conversation, asker: Asker, choice: Choice = OWNERS
    ) -> Reply:
        """A reply to the conversation. Raises `Refused` if the question is refused."""
        if key := key_of(asker):
            return await self._with_key(Request(conversation, key=key, choice=choice), asker)
        if self._accounts is None or self._accounts.budget is None:
            by_owner = isinstance(asker.visitor, Local)
            request = Request(conversation, by_owner=by_owner, choice=choice)
            return self._free(self._main, writing(self._main, request), asker)
        try:
            await self._pause.check()
            return await self._paid(self._accounts, Request(conversation, choice=choice), asker)
        except (Spent, Paused) as refusal:
            if not asker.or_spare or self._spare is None:
                raise
            why, answer = refusal.sentence, writing(self._spare, Request(conversation))
            return self._free(self._spare, lambda wanted: instead(why, answer(wanted)), asker)

    async def _with_key(self, request: Request, asker: Asker) -> Reply:
        if self._own is None or self._accounts is None:
            raise NoOwnKeys
        account = self._accounts.own(asker.visitor, request.choice)
        return await self._begun(self._own, request, account, linger=self._linger)

    async def _paid(self, accounts: Accounts, request: Request, asker: Asker) -> Reply:
        account = accounts.open(asker.visitor, request.choice)
        if not asker.person or not self._is_shared(request):
            return await self._begun(self._main, request, account, linger=self._linger)
        # asked with other options it is another question
        question = f"{astuple(request.choice)}\n{request.conversation[0].text}"
        async with self._shares.lock(question):
            if share := self._shares.find(question, asker.person):
                return self._joined(share)
            # its readers are replies, which read at once unless they gather themselves
            reply = await self._begun(self._main, request, account, linger=None, gathers=True)
            return self._joined(self._shares.add(question, asker.person, reply), account)

    def _is_shared(self, request: Request) -> bool:
        """Whether everyone who asks the same, with the same options, may get the same answer."""
        first, *more = request.conversation
        alone = not more and not first.files
        return first.text in self._shared and alone and not request.choice.instructions

    async def _begun(
        self,
        source: Source,
        request: Request,
        account: Account,
        *,
        linger: float | None,
        gathers: bool = False,
    ) -> Reply:
        """A reply that the account pays for."""
        reply = await paid(source, request, account, self.soon, linger=linger, gathers=gathers)
        if not request.key:
            reply.on_end(lambda: self._trouble.ended(reply))
        self._written(reply, account.visitor)
        return reply

    def _free(self, source: Source, write: Write, asker: Asker) -> Reply:
        reply = Reply(write, linger=self._linger, receipt=partial(receipt, model=source.model))
        self._written(reply, asker.visitor)
        return reply

    def _joined(self, share: Share, account: Account | None = None) -> Reply:
        """A reader's own reply, which repeats the shared one. The reader with an `account` pays for
        it."""
        reading = share.join()

        def billed(reply: Reply, ending: Ending) -> Receipt:
            shared = share.reply.receipt(ending)
            model = shared.model if shared else self._main.model
            basic = receipt(reply, ending, model=model)
            closed = was_stopped(ending) and share.reply.ending is not None
            return replace(basic, closed=closed, **account.bill() if account else {"shared": True})

        reply = Reply(reading.events, linger=self._linger, receipt=billed)
        # a reply that is stopped before its first step never starts to read
        reply.on_end(reading.leave)
        return reply

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
