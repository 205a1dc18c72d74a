"""Limits the page requests in progress, so that a rush of them does not hold up answers."""

import asyncio
from collections import Counter, OrderedDict, deque

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.visitors import Identify
from streamchat.web.paths import path_of
from streamchat.web.replay import replay

# requests of one visitor at once: more would not finish sooner on one processor
AT_ONCE = 2
# requests of all visitors at once, so that one visitor never takes all places
TOTAL = 3
# seconds after which a request is no longer counted
LONGEST = 0.25
# where Gradio's pages send what they ask for
PAGES = "/gradio_api/"


class ConcurrencyLimit:
    """Counts a request from the arrival of its whole body to the beginning of its response, so that
    slow networks do not count."""

    def __init__(self, app: ASGIApp, identify: Identify) -> None:
        self._app = app
        self._identify = identify
        self._places = Places()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] == "POST"
            and path_of(scope).startswith(PAGES)
        ):
            received = await receive()
            receive = replay(received, receive)
            if not received.get("more_body"):
                await self._limited(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = Place(self._places, self._visitor(scope))

        async def begin(message: Message) -> None:
            place.leave()
            await send(message)

        await place.take()
        late = asyncio.get_running_loop().call_later(LONGEST, place.leave)
        try:
            await self._app(scope, receive, begin)
        finally:
            late.cancel()
            place.leave()

    def _visitor(self, scope: Scope) -> str:
        return self._identify(
            scope["client"][0] if scope["client"] else None, Headers(scope=scope), None
        )


class Places:
    """A number of places for each visitor, and in all. Waiting visitors take turns."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        # the visitor whose turn is next comes first
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, visitor: str) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(visitor, deque()).append(waiting)
        self._hand_out()
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.cancelled():
                self._hand_out()
            else:
                self.leave(visitor)
            raise

    def leave(self, visitor: str) -> None:
        self._taken[visitor] -= 1
        if not self._taken[visitor]:
            del self._taken[visitor]
        self._hand_out()

    def _hand_out(self) -> None:
        while self._taken.total() < TOTAL and (visitor := self._next()) is not None:
            self._taken[visitor] += 1
            self._waiting[visitor].popleft().set_result(None)
            self._waiting.move_to_end(visitor)

    def _next(self) -> str | None:
        for visitor, waiting in list(self._waiting.items()):
            while waiting and waiting[0].cancelled():
                waiting.popleft()
            if not waiting:
                del self._waiting[visitor]
            elif self._taken[visitor] < AT_ONCE:
                return visitor
        return None


class Place:
    def __init__(self, places: Places, visitor: str) -> None:
        self._places = places
        self._visitor = visitor
        self._taken = False

    async def take(self) -> None:
        await self._places.take(self._visitor)
        self._taken = True

    def leave(self) -> None:
        """Idempotent."""
        if self._taken:
            self._taken = False
            self._places.leave(self._visitor)
