"""A reply: an append-only log of events with one writer and any number of readers."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from streamchat.errors import ChatError, InternalError, trace
from streamchat.events import Done, Ending, Event, Failed, Receipt, Text, Usage

logger = logging.getLogger(__name__)

Wanted = Callable[[], Awaitable[None]]
Write = Callable[[Wanted], AsyncGenerator[Event]]

ID = re.compile("[A-Za-z0-9_-]{32}")
# seconds that a reader waits at most for text that has gathered
MOMENT = 0.05
# seconds that a writer waits for its readers at most
PATIENCE = 0.5
# A process that was suspended runs timers that are due before tasks that are ready.
# Counted in parts, time without a reader goes on only while readers can begin.
LINGER_PARTS = 10


class Reply:
    """Runs `write` from the moment it is made, and appends its events to the log until they end or
    the reply is stopped.

    Exactly one `Done` or `Failed` ends the log, however the writing ended. Without a reader for
    `linger` seconds it stops by itself; with a `linger` of None it never does. The id is a secret
    of 192 bits: its holder may read and stop the reply. `first_at` has the clock's time of the
    first event of each type.

    `write` gets the backpressure: a function to await before it reads more from its source. It
    returns at once unless the reply `gathers`: then text that no reader waits for stays at the
    source. `settle` is called as soon as the log ends, before any reader learns of it; then
    `receipt` makes the receipt of the ending.
    """

    def __init__(  # noqa: PLR0913 (a reply is complete when it is made)
        self,
        write: Write,
        *,
        linger: float | None,
        receipt: "Callable[[Reply, Ending], Receipt] | None" = None,
        settle: Callable[[], None] = lambda: None,
        gathers: bool = False,
        clock: Callable[[], float] = time.monotonic,
        reply_id: str | None = None,
    ) -> None:
        self.id = reply_id or secrets.token_urlsafe(24)
        self.log: list[Event] = []
        self.ending: Ending | None = None
        self.ended = asyncio.Event()
        self.usage = Usage()
        self.clock = clock
        self.asked_at = clock()
        self.first_at: dict[type[Event], float] = {}
        self._receipt = receipt
        self._settle = settle
        self._linger = linger
        self._leaving: asyncio.TimerHandle | None = None
        self._readers = 0
        self._reason = "stopped"
        self._waiting: set[asyncio.Future[bool]] = set()
        self._resting: set[asyncio.Future[bool]] = set()
        # the writer, while text gathers at its source
        self._pausing: set[asyncio.Future[bool]] = set()
        self._gathers = gathers
        self._nobody_reads()
        self._writer = asyncio.create_task(self._write(write(self._wanted)))
        self._writer.add_done_callback(self._seal)

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.log if isinstance(event, Text))

    @property
    def stopping(self) -> bool:
        """Whether it was stopped and has not ended yet."""
        return self._writer.cancelling() > 0 and not self._writer.done()

    @property
    def came_to_nothing(self) -> bool:
        """Whether it ended without a word and unintended, so that asking again is a retry."""
        match self.ending:
            case Failed() | Done("abandoned" | "shutdown"):
                return not self.text
        return False

    def receipt(self, ending: Ending) -> Receipt | None:
        """The receipt that the reply would have with this ending."""
        return self._receipt(self, ending) if self._receipt else None

    async def follow(
        self, after: int = 0, *, heartbeat: float | None = None
    ) -> AsyncGenerator[tuple[int, list[Event]]]:
        """Yields `(position, events)`: all that is new since `after`, at once, until the log has
        ended.

        With a `heartbeat` it also yields `(position, [])` after that many seconds without news.
        Close it (`contextlib.aclosing`) to leave.
        """
        self._readers += 1
        if self._leaving:
            self._leaving.cancel()
        try:
            while True:
                if self._pausing:
                    await self._fetch()
                if new := self.log[after:]:
                    after += len(new)
                    yield after, new
                elif self.ending:
                    return
                elif not await _wake(self._waiting, heartbeat):
                    yield after, []
        finally:
            self._readers -= 1
            if not self._readers:
                self._nobody_reads()

    async def rest(self, seconds: float, *, gather: bool = False) -> None:
        """Sleeps, but wakes for the reply's first word and for its end.

        With `gather`, text after the first word stays at its source meanwhile, and so does the end,
        until a reader wants more.
        """
        self._gathers = gather and Text in self.first_at
        if not self.ending:
            await _wake(self._resting, seconds)

    def stop(self, reason: str = "stopped") -> None:
        """Cancels the writer; what was written stays. Does nothing to a reply that has ended."""
        if not self._writer.done() and not self._writer.cancelling():
            self._reason = reason
            self._writer.cancel()

    def on_end(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once the log has ended and its source is closed."""
        self._writer.add_done_callback(lambda _: callback())

    async def closed(self) -> None:
        """Waits until the log has ended and its source is closed."""
        await asyncio.wait({self._writer})

    def _nobody_reads(self) -> None:
        if not self.ending and self._linger is not None:
            self._linger_on(self._linger / LINGER_PARTS, LINGER_PARTS)

    def _linger_on(self, part: float, parts: int) -> None:
        """Stops the reply after that many parts of that many seconds each, unless a reader
        comes."""
        if parts:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(part, self._linger_on, part, parts - 1)
        else:
            self.stop("abandoned")

    async def _write(self, events: AsyncGenerator[Event]) -> None:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Done | Failed):
                    self._end(event)
                    return
                self._append(event)

    async def _fetch(self) -> None:
        """Wakes the writer, and waits a moment so that all text that gathered arrives at once."""
        for writer in self._pausing:
            _rouse(writer, True)
        await _wake(self._waiting, MOMENT)

    async def _wanted(self) -> None:
        """Waits until a reader waits for news, at most `PATIENCE` seconds: readers cannot hold up a
        source for ever."""
        if self._gathers and all(reader.done() for reader in self._waiting):
            await _wake(self._pausing, PATIENCE)

    def _append(self, event: Event) -> None:
        if isinstance(event, Usage):
            self.usage = event
        first = type(event) not in self.first_at
        if first:
            self.first_at[type(event)] = self.clock()
        self.log.append(event)
        for sleeper in self._waiting | self._resting if first else self._waiting:
            _rouse(sleeper, True)

    def _end(self, ending: Ending) -> None:
        self._settle()
        if receipt := self.receipt(ending):
            ending = replace(ending, receipt=receipt)
        self.ending = ending
        self._append(ending)
        self.ended.set()
        if self._leaving:
            self._leaving.cancel()

    def _seal(self, writer: asyncio.Task[None]) -> None:
        """Ends the log once the writer is done, even if it was cancelled before its first step."""
        error = None if writer.cancelled() else writer.exception()
        if error and not isinstance(error, ChatError):
            logger.error("A reply failed with %s", trace(error))
        if self.ending:
            return
        if isinstance(error, ChatError):
            self._end(Failed.of(error, self.usage))
        elif error:
            self._end(Failed.of(InternalError(), self.usage))
        elif writer.cancelled():
            self._end(Done(self._reason, self.usage))
        else:
            logger.error("A source ended without saying how.")
            self._end(Failed.of(InternalError(), self.usage))


async def _wake(sleepers: set[asyncio.Future[bool]], patience: float | None) -> bool:
    """Waits in `sleepers` until it is roused. Returns false if `patience` seconds passed first."""
    loop = asyncio.get_running_loop()
    sleeper: asyncio.Future[bool] = loop.create_future()
    timer = None if patience is None else loop.call_later(patience, _rouse, sleeper, False)
    sleepers.add(sleeper)
    try:
        return await sleeper
    finally:
        sleepers.discard(sleeper)
        if timer:
            timer.cancel()


def _rouse(sleeper: asyncio.Future[bool], news: bool) -> None:
    if not sleeper.done():
        sleeper.set_result(news)
