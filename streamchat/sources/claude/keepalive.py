"""A client for Claude that replaces closed connections.

The server may close a kept connection between two requests. The next request on it then ends at
once, with a reset and no response. Nothing has worked on it, so it may be sent again (RFC 9112,
9.3.1). After a later reset Claude may have worked on the request and charge for it: that is a
failure like any other.
"""

import time
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import SimpleNamespace
from typing import Any

import aiohttp
import anthropic
import httpx2

# seconds, of which a round trip takes a part
AT_ONCE = 1.0

NO_COOKIES = CookieJar(DefaultCookiePolicy(allowed_domains=[]))

_reused: ContextVar[bool] = ContextVar("reused")


async def _note_reuse(_: aiohttp.ClientSession, __: SimpleNamespace, ___: Any) -> None:
    _reused.set(True)


TRACE = aiohttp.TraceConfig()
TRACE.on_connection_reuseconn.append(_note_reuse)
TRACE.freeze()


class Client(anthropic.DefaultAioHttpClient):
    """Overrides `_init_transport` and `_init_proxy_transport`, where httpx makes its transports:
    passing a transport in the public way would turn off the environment's proxies. A reset within
    `at_once` seconds counts as that of a closed connection."""

    def __init__(self, *, at_once: float = AT_ONCE, **options: Any) -> None:
        self._at_once = at_once
        super().__init__(cookies=NO_COOKIES, **options)

    def _init_transport(self, *args: Any, **options: Any) -> httpx2.AsyncBaseTransport:
        return Transport(super()._init_transport(*args, **options), self._at_once)

    def _init_proxy_transport(self, *args: Any, **options: Any) -> httpx2.AsyncBaseTransport:
        return Transport(super()._init_proxy_transport(*args, **options), self._at_once)


class Transport(httpx2.AsyncBaseTransport):
    def __init__(self, transport: Any, at_once: float) -> None:
        self._transport = transport
        self._at_once = at_once

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends the request again while it meets closed connections. Each attempt removes one, so
        the last one opens a new connection."""
        if not isinstance(self._transport.client, aiohttp.ClientSession):
            self._transport.client = _session(self._transport.get_client())
        while True:
            _reused.set(False)
            sent_at = time.monotonic()
            try:
                response: httpx2.Response = await self._transport.handle_async_request(request)
            except httpx2.ConnectError as error:
                is_at_once = time.monotonic() - sent_at <= self._at_once
                if not (is_at_once and _reused.get() and _is_without_response(error)):
                    raise
            else:
                return response

    async def aclose(self) -> None:
        await self._transport.aclose()


def _session(made: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """The session as the SDK makes it, with a trace and without cookies, which visitors must not
    share."""
    session = aiohttp.ClientSession(
        connector=made.connector, trace_configs=[TRACE], cookie_jar=aiohttp.DummyCookieJar()
    )
    made.detach()
    return session


def _is_without_response(error: httpx2.ConnectError) -> bool:
    """Whether the connection was reset before any byte came back."""
    match error.__cause__:
        # otherwise it is what came of a response
        case aiohttp.ServerDisconnectedError(message=str()):
            return True
        case aiohttp.ClientOSError():
            return True
    return False
