"""Ends a page's events when it switches to another conversation, while the reply that it left goes
on."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from streamchat.replies import Reply
from streamchat.ui.tab import Tab
from streamchat.visitors import Shelf

T = TypeVar("T")


class Leaving:
    """The pages that show a conversation, and a reader for each reply that a page has left."""

    def __init__(self, max_pages: int) -> None:
        self._left: Shelf[str, asyncio.Event] = Shelf(most=max_pages)
        self._reading: set[asyncio.Task[None]] = set()

    def left(self, page: str, visitor: str) -> asyncio.Event:
        """An event that is set when the page leaves what it shows now."""
        left = self._left.get(page) or asyncio.Event()
        self._left.put(page, left, visitor)
        return left

    def leave(self, page: str, had: Tab, shows: Tab) -> None:
        """Notes that the page goes from one tab to another, or loads the same one again. A reader
        of its own keeps the first tab's running reply going."""
        if left := self._left.pop(page):
            left.set()
        had.unwatch(page)
        shows.restored = True
        if had is not shows and had.reply and had.running:
            reading = asyncio.create_task(read_to_end(had.reply))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)


async def read_to_end(reply: Reply) -> None:
    """Reads a reply that its page has left, so that it does not stop for want of a reader."""
    async with aclosing(reply.follow()) as news:
        async for _ in news:
            pass


async def until(left: asyncio.Event, frames: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The frames that come before the event is set."""
    end = asyncio.ensure_future(left.wait())
    try:
        async with aclosing(frames):
            while not left.is_set():
                frame = asyncio.ensure_future(anext(frames, None))
                try:
                    await asyncio.wait({frame, end}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    # frames cannot be closed while it is being read, as where this is cancelled
                    if not frame.done():
                        frame.cancel()
                        await asyncio.wait({frame})
                if frame.cancelled() or (found := frame.result()) is None:
                    return
                yield found
    finally:
        end.cancel()


async def comes_first(awaited: Coroutine[Any, Any, None], other: asyncio.Event) -> bool:
    """Whether `awaited` ends before the event is set. Otherwise it is cancelled."""
    first, second = asyncio.ensure_future(awaited), asyncio.ensure_future(other.wait())
    try:
        await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        first.cancel()
        second.cancel()
    return first.done() and not first.cancelled()
