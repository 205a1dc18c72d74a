"""Requests of pages are worked on a few at a time: a rush of them does not hold up the words of those who read."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.web.replay import replay

AT_ONCE = 2  # on one processor more of them are not sooner done
LONGEST = 0.25  # seconds that one holds up others; then it is no longer counted
PAGES = "/gradio_api/"  # where Gradio's pages send what they ask for


class ConcurrencyLimit:
    """Counts a request from when all of it is there until its response begins, so that no client's network counts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._places = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(PAGES):
            received = await receive()
            receive = replay(received, receive)
            if not received.get("more_body"):
                await self._limited(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = Place(self._places)

        async def begin(message: Message) -> None:
            place.leave()
            await send(message)

        await self._places.acquire()
        late = asyncio.get_running_loop().call_later(LONGEST, place.leave)
        try:
            await self._app(scope, receive, begin)
        finally:
            late.cancel()
            place.leave()


class Place:
    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._taken = True

    def leave(self) -> None:
        """Once; more often is no more than that."""
        if self._taken:
            self._taken = False
            self._places.release()
