"""Draws pages a part at a time: off the event loop, with turns for all visitors, and once for all
readers of the same page."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator
from weakref import WeakValueDictionary

# characters after which a part is sent
PART = 16_000
# bytes of the pages that are kept
MAX_KEPT = 16_000_000


class Drawing:
    """One part is drawn at a time. A visitor who opens many pages waits for themselves alone."""

    def __init__(self, *, max_kept: int = MAX_KEPT) -> None:
        self._turn = asyncio.Lock()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._pages: OrderedDict[bytes, list[bytes]] = OrderedDict()
        self._max_kept = max_kept

    async def parts(
        self, name: bytes, pieces: Iterator[str], visitor: str
    ) -> AsyncGenerator[bytes]:
        """The page of that name, which its pieces make once."""
        if name in self._pages:
            self._pages.move_to_end(name)
            for part in self._pages[name]:
                yield part
                await asyncio.sleep(0)
            return
        drawn: list[bytes] = []
        while part := await self._next(pieces, visitor):
            drawn.append(part)
            yield part
        self._keep(name, drawn)

    async def _next(self, pieces: Iterator[str], visitor: str) -> bytes:
        async with self._turns.setdefault(visitor, asyncio.Lock()), self._turn:
            return await asyncio.to_thread(joined, pieces)

    def _keep(self, name: bytes, parts: list[bytes]) -> None:
        self._pages[name] = parts
        while sum(len(part) for page in self._pages.values() for part in page) > self._max_kept:
            self._pages.popitem(last=False)


def joined(pieces: Iterator[str]) -> bytes:
    """The next of them, as many as make a part; empty at the end."""
    taken, length = [], 0
    for piece in pieces:
        taken.append(piece)
        length += len(piece)
        if length >= PART:
            break
    return "".join(taken).encode(errors="replace")
