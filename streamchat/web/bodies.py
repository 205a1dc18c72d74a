"""Bounds the size and the speed of a request's body before anything parses it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.visitors import Flow, Identify
from streamchat.web.bounds import BOUNDS, NO_BODY, Bound
from streamchat.web.marks import Marks
from streamchat.web.paths import path_of
from streamchat.web.problem import Unfit

# bodies up to this size count for no visitor, so that nobody is refused a short message
SMALL = 64_000
ALL = "*"
RETRY = {"Retry-After": "5"}
# RFC 7694: which codings a 415 is about
IDENTITY = {"Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Arrival:
    """Bounds on how bodies arrive.

    A body has `seconds` in all and, after `grace` seconds, must arrive at `rate` bytes a second.
    Bodies that arrive or wait take at most `visitor` bytes of one visitor, and `total` bytes of
    all. Each visitor may send `burst` bytes at once, and then `flow` bytes a second are read.
    """

    seconds: float = 30
    grace: float = 5
    rate: float = 10_000
    visitor: int = 64_000_000
    total: int = 256_000_000
    burst: int = 32_000_000
    flow: int = 2_000_000


class Gone(Exception):
    """The client has left."""


class BoundedBodies:
    """Passes a body on in one message, or refuses it as soon as it exceeds a bound."""

    def __init__(
        self,
        app: ASGIApp,
        identify: Identify,
        *,
        bounds: Mapping[str, Bound] = BOUNDS,
        arrival: Arrival = Arrival(),
    ) -> None:
        self._app = app
        self._bounds = bounds
        self._arrival = arrival
        self._identify = identify
        self._held: Counter[str] = Counter()
        self._flow = Flow(arrival.burst, arrival.flow)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = Body(self._bound(scope), self._arrival)
        share = Share(self._held, self._flow, self._arrival, lambda: self._visitor(scope, headers))
        try:
            body.check(headers)
            await body.arrive(receive, share)
        except Gone:
            share.release()
        except Unfit as error:
            share.release()
            await error.response()(scope, receive, send)
        else:
            await self._pass_on(scope, body, receive, send, share)

    async def _pass_on(
        self, scope: Scope, body: "Body", receive: Receive, send: Send, share: "Share"
    ) -> None:
        async def begin(message: Message) -> None:
            share.release()
            await send(message)

        try:
            await self._app(scope, body.then(receive), begin)
        finally:
            share.release()

    def _bound(self, scope: Scope) -> Bound:
        asked = f"{scope['method']} {path_of(scope)}"
        return next(
            (bound for beginning, bound in self._bounds.items() if asked.startswith(beginning)),
            NO_BODY,
        )

    def _visitor(self, scope: Scope, headers: Headers) -> str:
        return self._identify(scope["client"][0] if scope["client"] else None, headers, None)


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class Body:
    def __init__(self, bound: Bound, arrival: Arrival) -> None:
        self._bound = bound
        self._arrival = arrival
        self._parts: list[bytes] = []
        self._marks = Marks()
        self._size = 0

    def check(self, headers: Headers) -> None:
        """Raises `Unfit` if the headers alone show that the body must be refused."""
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise Unfit(415, "encoded_body", IDENTITY)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise Unfit(400, "bad_length")
        if len(length) > 15 or int(length) > self._bound.size:
            raise self._too_long()

    async def arrive(self, receive: Receive, share: "Share") -> None:
        """Receives the body. Raises `Unfit` at the first byte or mark too many, or when it takes
        too long."""
        began = asyncio.get_running_loop().time()
        more = True
        while more:
            message = await self._next(receive, began)
            self._add(message.get("body", b""))
            pause = share.grow(self._size)
            more = message.get("more_body", False)
            if pause and more:
                began += pause
                await asyncio.sleep(pause)

    def then(self, receive: Receive) -> Receive:
        """A `receive` that gives the whole body first, and then what follows."""
        whole: list[Message] = [
            {"type": "http.request", "body": b"".join(self._parts), "more_body": False}
        ]
        self._parts.clear()

        async def receive_whole() -> Message:
            return whole.pop() if whole else await receive()

        return receive_whole

    async def _next(self, receive: Receive, began: float) -> Message:
        arrival = self._arrival
        try:
            async with asyncio.timeout_at(
                began + min(arrival.seconds, arrival.grace + self._size / arrival.rate)
            ):
                message = await receive()
        except TimeoutError:
            raise Unfit(408, "too_slow", {"Connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise Gone
        return message

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._bound.size:
            raise self._too_long()
        if self._bound.bytes:
            self._parts.append(part)
            return
        # JSON in UTF-16 or UTF-32, whose marks would not be counted
        if b"\0" in part:
            raise Unfit(400, "not_json", wording="body_not_json")
        if self._marks.count(part) > self._bound.marks:
            raise Unfit(413, "too_long", wording="too_many_values")
        self._parts.append(part)

    def _too_long(self) -> Unfit:
        if not self._bound.size:
            return Unfit(413, "too_long", wording="no_body_taken")
        return Unfit(413, "too_long", wording="body_too_long", most=self._bound.size)


class Share:
    """The bytes of one request, counted against its visitor and against all."""

    def __init__(
        self, held: Counter[str], flow: Flow, arrival: Arrival, visitor: Callable[[], str]
    ) -> None:
        self._held = held
        self._flow = flow
        self._arrival = arrival
        self._visitor = visitor
        self._name = ""
        self._size = 0

    def grow(self, size: int) -> float:
        """Seconds to wait before more is read. Raises `Unfit` if there is no room for so many
        bytes."""
        if size <= SMALL:
            return 0
        self._name = self._name or self._visitor()
        added = size - self._size
        if self._held[self._name] + added > self._arrival.visitor:
            raise Unfit(429, "too_much_at_once", RETRY)
        if self._held[ALL] + added > self._arrival.total:
            raise Unfit(503, "crowded", RETRY, wording="too_much_from_all")
        self._take(added)
        return self._flow.take(self._name, added)

    def release(self) -> None:
        """Idempotent."""
        self._take(-self._size)

    def _take(self, added: int) -> None:
        self._size += added
        for name in (self._name, ALL):
            self._held[name] += added
            if not self._held[name]:
                del self._held[name]
