"""Draws pages in parts: in a thread, with turns for all visitors, and once for all readers of a
page."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

# characters after which a part is sent
PART = 16_000
# bytes of the pages that are kept
MAX_KEPT = 16_000_000

Sleep = Callable[[float], Awaitable[None]]


@dataclass(eq=False)
class Drawn:
    """A page as far as it is drawn, and the pieces that are still to come."""

    pieces: Iterator[str]
    parts: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    @property
    def size(self) -> int:
        return sum(map(len, self.parts))

    def grow(self) -> None:
        """Adds a part, or notes that there is none."""
        if part := joined(self.pieces):
            self.parts.append(part)
        else:
            self.is_whole = True


class Drawing:
    """Draws one part at a time. A visitor who opens many pages delays only their own."""

    def __init__(self, *, max_kept: int = MAX_KEPT, sleep: Sleep = asyncio.sleep) -> None:
        self._turn = asyncio.Lock()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._pages: OrderedDict[bytes, Drawn] = OrderedDict()
        self._max_kept = max_kept
        self._sleep = sleep

    async def parts(
        self, name: bytes, pieces: Iterator[str], visitor: str
    ) -> AsyncGenerator[bytes]:
        """The page of that name, which its pieces make once."""
        page = self._pages.setdefault(name, Drawn(pieces))
        self._pages.move_to_end(name)
        number = 0
        while number < len(page.parts) or not page.is_whole:
            if number == len(page.parts):
                # goes on when its reader leaves, for others may wait for the same part
                growing = self._grow(name, page, number, visitor)
                await asyncio.shield(asyncio.create_task(growing))
            else:
                yield page.parts[number]
                number += 1
                await asyncio.sleep(0)

    async def _grow(self, name: bytes, page: Drawn, number: int, visitor: str) -> None:
        """Draws the part of that number, unless that is done meanwhile."""
        async with self._turns.setdefault(visitor, asyncio.Lock()):
            took = 0.0
            async with self._turn:
                if number == len(page.parts) and not page.is_whole:
                    took = await self._draw(name, page)
            self._evict()
            # others draw meanwhile: a visitor's pages take at most half of the time
            await self._sleep(took)

    async def _draw(self, name: bytes, page: Drawn) -> float:
        """Draws a part; returns the seconds that took."""
        began = time.monotonic()
        try:
            await asyncio.to_thread(page.grow)
        except Exception:
            # the next reader begins anew
            self._pages.pop(name, None)
            raise
        return time.monotonic() - began

    def _evict(self) -> None:
        """Forgets the pages that were read longest ago."""
        while self._pages and sum(page.size for page in self._pages.values()) > self._max_kept:
            self._pages.popitem(last=False)


def joined(pieces: Iterator[str]) -> bytes:
    """The next pieces, as many as make a part; empty at the end."""
    taken, length = [], 0
    for piece in pieces:
        taken.append(piece)
        length += len(piece)
        if length >= PART:
            break
    return "".join(taken).encode(errors="replace")
