"""Draws pages part by part in a thread, with turns for all visitors."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from weakref import WeakValueDictionary

# characters after which others have their turn
PART = 16_000

Sleep = Callable[[float], Awaitable[None]]


class Rendering:
    """Draws one part at a time. A visitor who has many pages drawn delays only their own."""

    def __init__(self, *, sleep: Sleep = asyncio.sleep) -> None:
        self._turn = asyncio.Lock()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sleep = sleep

    async def whole(self, pieces: Iterator[str], visitor: str) -> str:
        """The page that the pieces make."""
        parts: list[str] = []
        async with self._turns.setdefault(visitor, asyncio.Lock()):
            while True:
                # goes on when its reader leaves: no other part is drawn beside it
                drawing = asyncio.create_task(self._part(pieces))
                part, took = await asyncio.shield(drawing)
                if not part:
                    return "".join(parts)
                parts.append(part)
                # others draw meanwhile: a visitor's pages take at most half of the time
                await self._sleep(took)

    async def _part(self, pieces: Iterator[str]) -> tuple[str, float]:
        """The next part, and the seconds that it took."""
        async with self._turn:
            began = time.monotonic()
            return await asyncio.to_thread(joined, pieces), time.monotonic() - began


def joined(pieces: Iterator[str]) -> str:
    """The next pieces, as many as make a part; empty at the end."""
    taken, length = [], 0
    for piece in pieces:
        taken.append(piece)
        length += len(piece)
        if length >= PART:
            break
    return "".join(taken)
