import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest

from streamchat.events import Done, Event, Message, Request, Text, Usage
from streamchat.sources.lazy import LazySource

ASKED = Request((Message("user", "hi"),))
WHOLE: list[Event] = [Text("Here I am."), Done("end_turn", Usage())]


class Slow:
    """A source whose making waits for `may_be`."""

    made = 0

    def __init__(self, may_be: threading.Event) -> None:
        may_be.wait(10)
        Slow.made += 1
        self.opened = self.closed = False

    async def stream(self, _: Request) -> AsyncGenerator[Event]:
        for event in WHOLE:
            yield event

    async def count(self, *_: object) -> int:
        return 7

    async def open(self) -> None:
        self.opened = True

    async def close(self) -> None:
        self.closed = True


async def answer(late: LazySource) -> list[Event]:
    return [event async for event in late.stream(ASKED)]


async def test_questions_wait_for_a_source_that_is_loading() -> None:
    """While Claude's SDK loads the server serves others; questions are answered once it is
    there."""
    Slow.made, may_be = 0, threading.Event()
    late = LazySource("Slow", "slow-1", lambda: Slow(may_be))
    opening, asking = (
        asyncio.create_task(late.open()),
        [asyncio.create_task(answer(late)) for _ in range(2)],
    )
    await asyncio.sleep(0)
    assert not any(task.done() for task in (opening, *asking))
    may_be.set()
    await opening
    first, second = await asyncio.gather(*asking)
    assert first == second == WHOLE
    assert Slow.made == 1


async def test_a_reader_who_leaves_does_not_end_the_loading() -> None:
    """The other readers still get their answers."""
    may_be = threading.Event()
    late = LazySource("Slow", "slow-1", lambda: Slow(may_be))
    leaving, staying = asyncio.create_task(answer(late)), asyncio.create_task(answer(late))
    await asyncio.sleep(0)
    leaving.cancel()
    may_be.set()
    assert await staying == WHOLE


async def test_an_end_does_not_wait_for_the_loading() -> None:
    """Ctrl-C right after the start ends the app at once, and a loaded source is closed."""
    never, there = threading.Event(), threading.Event()
    loading = LazySource("Slow", "slow-1", lambda: Slow(never))
    opening = asyncio.create_task(loading.open())
    await asyncio.sleep(0)
    await asyncio.wait_for(loading.close(), 5)
    never.set()
    await opening

    there.set()
    slow = Slow(there)
    loaded = LazySource("Slow", "slow-1", lambda: slow)
    await loaded.open()
    await loaded.close()
    assert slow.opened
    assert slow.closed


async def test_a_failed_loading_is_tried_again_with_the_next_question() -> None:
    """A failure to load is raised to the one who asked; closing after it works."""
    there = threading.Event()
    there.set()
    attempts = iter([False, True])

    def make() -> Slow:
        if not next(attempts):
            raise OSError("no more files")
        return Slow(there)

    late = LazySource("Slow", "slow-1", make)
    with pytest.raises(OSError, match="no more files"):
        await late.open()
    await late.close()
    assert await answer(late) == WHOLE
