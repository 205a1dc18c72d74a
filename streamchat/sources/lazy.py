"""A source that is made when it is opened or first asked, so that the start does not wait for
it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from streamchat.events import Conversation, Event, Request
from streamchat.options import Choice


class Backend(Protocol):
    def stream(self, request: Request) -> AsyncGenerator[Event]: ...

    async def count(self, conversation: Conversation, choice: Choice) -> int | None: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class LazySource:
    """Calls `make` once, in a thread, and again only after a failure."""

    def __init__(self, name: str, model: str, make: Callable[[], Backend]) -> None:
        self.name = name
        self.model = model
        self._make = make
        self._made: asyncio.Task[Backend] | None = None

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        async with aclosing((await self._source()).stream(request)) as events:
            async for event in events:
                yield event

    async def count(self, conversation: Conversation, choice: Choice) -> int | None:
        return await (await self._source()).count(conversation, choice)

    async def open(self) -> None:
        await (await self._source()).open()

    async def close(self) -> None:
        if self._made and self._made.done() and not self._made.exception():
            await self._made.result().close()

    async def _source(self) -> Backend:
        if self._made is None or (self._made.done() and self._made.exception()):
            self._made = asyncio.create_task(asyncio.to_thread(self._make))
        return await asyncio.shield(self._made)
