"""Bounds the connections of one address, and the time that a connection may be open without a
request."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from streamchat.texts import text
from streamchat.visitors import Proxies, visitor

FILES_FOR_OTHER_USES = 200
MOST = 10_000


class Connections:
    """All connections of a server. Trusted proxies may hold any number, because they bring other
    people's requests.

    A connection may be `idle` seconds without a request, and its client may take `stalled` seconds
    without reading the response. At `total` connections a new one replaces the one that has been
    idle longest.
    """

    def __init__(
        self,
        proxies: Proxies,
        *,
        per_address: int = 100,
        total: int = MOST,
        idle: float = 20,
        stalled: float = 300,
    ) -> None:
        self.idle_seconds = idle
        self.stalled_seconds = stalled
        self._proxies = proxies
        self._per_address = per_address
        self._total = total
        self._open: dict[Connection, str] = {}
        self._of: Counter[str] = Counter()
        self._idle: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: "Connection", peer: str | None) -> bool:
        """Takes a place for the connection. Returns false if there is none."""
        address = "" if self._proxies.trust(peer) else visitor(peer, {}, proxies=self._proxies)
        if (address and self._of[address] >= self._per_address) or not self._has_place():
            return False
        self._open[connection] = address
        self._of[address] += 1
        return True

    def leave(self, connection: "Connection") -> None:
        """Idempotent."""
        address = self._open.pop(connection, None)
        self._idle.pop(connection, None)
        if address is not None:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]

    def set_idle(self, connection: "Connection", *, idle: bool) -> None:
        self._idle.pop(connection, None)
        if idle and connection in self._open:
            self._idle[connection] = None

    def _has_place(self) -> bool:
        if len(self._open) >= self._total and self._idle:
            longest = next(iter(self._idle))
            self.leave(longest)
            longest.transport.abort()
        return len(self._open) < self._total


class Timeout:
    """Holds at most one timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self._timer is not None

    def start(self, seconds: float, then: Callable[[], None]) -> None:
        self.cancel()
        self._timer = self._loop.call_later(seconds, then)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Connection(H11Protocol):
    """uvicorn closes a connection that is idle after a response. This one also closes a connection
    before its first request, in the middle of a request's head, after a response whose request is
    still arriving, and one whose client reads nothing. WebSockets are not supported."""

    def __init__(self, *arguments: Any, bounds: Connections, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.app = naming_the_peer(self.app)
        self._bounds = bounds
        self._idle = Timeout(self.loop)
        self._stalled = Timeout(self.loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._bounds.enter(self, self.client[0] if self.client else None):
            self._time()
        else:
            transport.write(TOO_MANY)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._bounds.leave(self)
        self._idle.cancel()
        self._stalled.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._time()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._idle.cancel()
        self._time()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled.start(self._bounds.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled.cancel()

    def _time(self) -> None:
        """Starts the time without a request, or ends it. Further bytes do not prolong it."""
        if self._is_answering():
            self._idle.cancel()
            self._bounds.set_idle(self, idle=False)
        elif not self._idle.runs:
            self._idle.start(self._bounds.idle_seconds, self._end)
            self._bounds.set_idle(self, idle=True)

    def _end(self) -> None:
        """Closes the connection after a moment in which the client may read the rest."""
        self.transport.close()
        self._idle.start(self._bounds.stalled_seconds, self.transport.abort)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _should_upgrade(self) -> bool:
        return False


def naming_the_peer(app: ASGIApp) -> ASGIApp:
    """Puts the address that really connected into the scope as `peer`, because uvicorn replaces
    `client` behind a proxy."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        scope["peer"] = scope["client"][0] if scope["client"] else None
        await app(scope, receive, send)

    return named


def room_for_connections() -> int:
    """Raises the limit on open files as far as possible; returns the number of connections that
    fit."""
    if sys.platform == "win32":
        return MOST
    import resource  # noqa: PLC0415 (there is none on Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    wanted = MOST + FILES_FOR_OTHER_USES if hard == endless else hard
    if soft not in (endless, wanted):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MOST if soft == endless else max(min(soft - FILES_FOR_OTHER_USES, MOST), 100)


def _response(status: str, code: str) -> bytes:
    body = json.dumps({"code": code, "message": text(code)}).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


TOO_MANY = _response(
    "429 Too Many Requests",
    "too_many_connections",
)
