"""Attacks with connections that stay open without a complete request."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from subprocess import check_output
from typing import Any

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from streamchat.visitors.visitor import Proxies
from streamchat.web.connections import Connection, Connections
from tests.application import ROOT, Application

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
VISITOR, NEIGHBOUR, PROXY = "127.0.0.2", "127.0.0.3", "127.0.0.1"


async def chat(scope: Scope, receive: Receive, send: Send) -> None:
    """/slow answers after the client has gone, /endless never stops, and all else says who has
    connected."""
    response: Response = PlainTextResponse(f"{scope['peer']} for {scope['client'][0]}")
    if scope["path"] == "/slow":
        while not await Request(scope, receive).is_disconnected():  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)
    if scope["path"] == "/endless":
        response = StreamingResponse(words())
    await response(scope, receive, send)


async def words() -> AsyncIterator[bytes]:
    while True:
        yield b"word " * 10_000
        await asyncio.sleep(0)


class Line:
    """A connection from one of this machine's addresses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, data: bytes) -> bytes:
        """The response, of which the end is its length."""
        self.writer.write(data)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        return head + await self.reader.readexactly(length)

    async def ends(self, trickle: bytes = b"") -> bytes:
        """The bytes until the server closes the connection, while `trickle` is sent again and
        again."""
        rest = asyncio.create_task(self.reader.read())
        while not rest.done():
            with suppress(OSError):
                self.writer.write(trickle)
            await asyncio.wait({rest}, timeout=0.001)
        with suppress(ConnectionError):
            return rest.result()
        return b""


class Lines:
    def __init__(self, port: int, bounds: Connections) -> None:
        self._port = port
        self._lines: list[Line] = []
        self.bounds = bounds

    async def open(self, address: str = VISITOR) -> Line:
        line = Line(
            *await asyncio.open_connection("127.0.0.1", self._port, local_addr=(address, 0))
        )
        self._lines.append(line)
        return line

    def close(self) -> None:
        for line in self._lines:
            line.writer.transport.abort()


@asynccontextmanager
async def server(**bounds: Any) -> AsyncIterator[Lines]:
    connections = Connections(Proxies.of("", on_spaces=False), **{"idle": 60, **bounds})
    listening = socket.create_server(("127.0.0.1", 0))
    protocol: Any = partial(Connection, bounds=connections)
    serving = uvicorn.Server(
        uvicorn.Config(chat, http=protocol, lifespan="off", log_config=None, timeout_keep_alive=60)
    )
    task = asyncio.create_task(serving.serve(sockets=[listening]))
    lines = Lines(listening.getsockname()[1], connections)
    try:
        yield lines
    finally:
        lines.close()
        serving.should_exit = True
        await task


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: loc",
        GET,
        GET + b"GET / HT",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\nhalf a body",
    ],
)
@pytest.mark.parametrize("trickle", [b"", b"x"])
async def test_a_connection_without_a_request_is_closed(beginning: bytes, trickle: bytes) -> None:
    """An idle connection is closed, also one that trickles bytes, has made a request before, or
    still sends an unwanted body."""
    async with server(idle=0.05, stalled=0.05) as lines:
        line = await lines.open()
        line.writer.write(beginning)
        await line.ends(trickle if beginning not in (b"", GET) else b"")
        while len(lines.bounds):  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)


async def test_a_request_that_takes_long_is_not_closed() -> None:
    """A connection whose response is pending or streaming is not idle."""
    async with server(idle=0.01) as lines:
        line = await lines.open()
        line.writer.write(GET.replace(b" / ", b" /slow "))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await line.reader.read()


async def test_a_client_that_reads_nothing_is_cut_off() -> None:
    """A response that nobody reads is dropped with its connection."""
    async with server(stalled=0.05) as lines:
        line = await lines.open()
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        line.writer.write(GET.replace(b" / ", b" /endless "))
        while not len(lines.bounds):  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)
        while len(lines.bounds):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_one_address_holds_so_many_connections_and_no_more() -> None:
    """A connection over an address's bound gets a 429 and is closed. Other addresses connect, and a
    free place is taken again."""
    async with server(per_address=3) as lines:
        held = [await lines.open() for _ in range(3)]
        assert b" 200 " in await held[0].says(GET)
        refused = await (await lines.open()).ends()
        assert refused.startswith(b"HTTP/1.1 429 ")
        assert b"too_many_connections" in refused
        assert b" 200 " in await (await lines.open(NEIGHBOUR)).says(GET)
        held[0].writer.close()
        while len(lines.bounds) > 3:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)
        assert b" 200 " in await (await lines.open()).says(GET)


async def test_a_trusted_proxy_holds_any_number_and_may_not_lie_about_itself() -> None:
    """A trusted proxy has no bound, and its own address stays known beside the one that it
    forwards."""
    async with server(per_address=3) as lines:
        held = [await lines.open(PROXY) for _ in range(10)]
        forwarded = GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
        answers = [await line.says(forwarded) for line in held]
        assert all(answer.endswith(b"127.0.0.1 for 203.0.113.7") for answer in answers)
        assert (await (await lines.open()).says(forwarded)).endswith(b"127.0.0.2 for 127.0.0.2")


async def test_when_all_places_are_taken_the_longest_idle_connection_makes_room() -> None:
    """At the bound of all connections the longest idle one is closed, so that idle attackers keep
    out nobody."""
    async with server(total=3, per_address=2) as lines:
        busy = await lines.open(NEIGHBOUR)
        busy.writer.write(GET.replace(b" / ", b" /slow "))
        idle = [await lines.open(f"127.0.0.{number}") for number in range(10, 30)]
        assert b" 200 " in await (await lines.open()).says(GET)
        assert len(lines.bounds) == 3
        assert await idle[0].ends() == b""
        assert not busy.reader.at_eof()


async def test_a_websocket_is_not_opened() -> None:
    """An upgrade to a WebSocket is ignored, whatever packages are installed."""
    upgrade = (
        b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version:"
        b" 13\r\nSec-WebSocket-Key: eA==\r\n\r\n"
    )
    async with server() as lines:
        assert b" 200 " in await (await lines.open()).says(GET.replace(b"\r\n\r\n", upgrade))


def test_the_running_app_keeps_these_bounds(app: Application) -> None:
    """One address gets a hundred connections of the app, and another address still gets an answer."""
    where = ("127.0.0.1", int(app.url.rpartition(":")[2]))
    held = [socket.create_connection(where, source_address=(VISITOR, 0)) for _ in range(101)]
    for connection in held[:-1]:
        connection.sendall(b"GET /")
    assert held[-1].recv(100).startswith(b"HTTP/1.1 429 ")
    with socket.create_connection(where, source_address=(NEIGHBOUR, 0)) as other:
        other.sendall(GET)
        assert other.recv(100).startswith(b"HTTP/1.1 200 ")
    for connection in held:
        connection.close()


LIMIT = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, HARD))
from streamchat.web.connections import room_for_connections
print(room_for_connections(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "found"),
    [(256, 5000, [4800, 5000, 5000]), (1000, 1000, [800, 1000, 1000]), (64, 128, [100, 128, 128])],
)
@pytest.mark.process
def test_the_app_takes_as_many_files_as_it_may(soft: int, hard: int, found: list[int]) -> None:
    """The app raises its limit of open files, and keeps some for the database, Claude and imports."""
    program = LIMIT.replace("SOFT", str(soft)).replace("HARD", str(hard))
    printed = check_output([sys.executable, "-c", program], cwd=ROOT, text=True)
    assert list(map(int, printed.split())) == found
