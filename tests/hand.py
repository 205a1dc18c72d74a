"""A source and a clock that a test operates by hand, so that no test sleeps or depends on
chance."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from streamchat.events import Done, Event, Text, Thinking, Usage
from streamchat.meter import Meter, length
from streamchat.replies.reply import Wanted


class Hand:
    """A source operated by hand: it says the events that are put in, and notes when it is
    closed."""

    def __init__(self) -> None:
        self._given: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self.closed = False

    def say(self, *events: Event | Exception | None) -> None:
        for event in events:
            self._given.put_nowait(event)

    async def stream(self, meter: Meter | None = None) -> AsyncGenerator[Event]:
        """Says the events that are put in, and has the meter count."""
        try:
            while (event := await self._given.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                if meter:
                    measure(event, meter)
                yield event
        finally:
            self.closed = True

    def write(self, _: Wanted) -> AsyncGenerator[Event]:
        """The `write` argument of a `Reply`."""
        return self.stream()


def measure(event: Event, meter: Meter) -> None:
    match event:
        case Usage():
            meter.count(event)
        case Text():
            meter.see(length(event.text))
        case Thinking():
            meter.think()
        case Done():
            meter.count(event.usage, output=True)
            meter.end()


class Clock:
    """Replaces the loop's timers: a test runs those that are due."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self._loop = asyncio.get_running_loop()
        monkeypatch.setattr(self._loop, "time", lambda: self.now)

    async def advance(self, seconds: float) -> None:
        """Moves the clock at once, as for a process that was suspended."""
        self.now += seconds
        await settle()

    async def run(self, seconds: float, *, steps: int = 500) -> None:
        """Moves the clock from timer to timer, as for a process that runs."""
        for _ in range(steps):
            await self.advance(seconds / steps)


async def settle() -> None:
    """Lets every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


class Ticking:
    """A clock that a test sets, in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
