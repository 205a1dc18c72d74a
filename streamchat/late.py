"""A source that is made when somebody first asks it, so that it costs nothing until then."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from streamchat.events import Event, Request


class Made(Protocol):
    def stream(self, request: Request) -> AsyncGenerator[Event]: ...

    async def close(self) -> None: ...


class Late:
    """`make` may take its time: it runs off the event loop, once."""

    def __init__(self, name: str, model: str, make: Callable[[], Made]) -> None:
        self.name = name
        self.model = model
        self._make = make
        self._made: asyncio.Task[Made] | None = None

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        self._made = self._made or asyncio.create_task(asyncio.to_thread(self._make))
        source = await asyncio.shield(self._made)
        async with aclosing(source.stream(request)) as events:
            async for event in events:
                yield event

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        if self._made:
            await (await self._made).close()
