"""HTTP/1.1 as a browser speaks it to one server, with next to nothing between the socket and the
caller."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# seconds; uvicorn closes what was idle for five
KEPT = 4.0


class Refused(Exception):
    """The server answered with something other than 200."""


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0


class Wire:
    """Connections to one server, from the address `source`, that are used again, and the bytes that
    went over them."""

    def __init__(self, url: str, source: str | None = None) -> None:
        parts = urlsplit(url)
        self._source = (source, 0) if source else None
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[Connection] = []
        self._open: list[Connection] = []
        self.bytes = 0

    async def get(self, path: str) -> bytes:
        return b"".join([piece async for _, piece in self.stream("GET", path)])

    async def post(self, path: str, body: Any) -> Any:
        return json.loads(b"".join([piece async for _, piece in self.stream("POST", path, body)]))

    async def stream(
        self, method: str, path: str, body: Any = None
    ) -> AsyncGenerator[tuple[float, bytes]]:
        """The pieces of the body and when each was there, in seconds of the epoch."""
        connection = self._idle_one() or await self._connect()
        self._send(connection, method, path, b"" if body is None else json.dumps(body).encode())
        length = await self._head(connection)
        pieces = self._chunks(connection) if length is None else self._whole(connection, length)
        async for piece in pieces:
            yield time.time(), piece
        connection.idle_since = time.time()
        self._idle.append(connection)

    def close(self) -> None:
        for connection in self._open:
            connection.writer.transport.abort()

    def _idle_one(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if time.time() - connection.idle_since < KEPT:
                return connection
            connection.writer.close()
        return None

    async def _connect(self) -> Connection:
        opened = asyncio.open_connection(
            self._host, self._port, limit=2**22, local_addr=self._source
        )
        connection = Connection(*await opened)
        self._open.append(connection)
        return connection

    def _send(self, connection: Connection, method: str, path: str, body: bytes) -> None:
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\naccept: */*\r\n"
        if body:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        request = head.encode() + b"\r\n" + body
        self.bytes += len(request)
        connection.writer.write(request)

    async def _head(self, connection: Connection) -> int | None:
        """The length of the body, or None if it comes in chunks."""
        head = await connection.reader.readuntil(b"\r\n\r\n")
        self.bytes += len(head)
        status, *lines = head.decode().lower().split("\r\n")
        if " 200 " not in status:
            raise Refused(status)
        lengths = [
            int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")
        ]
        return lengths[0] if lengths else None

    async def _whole(self, connection: Connection, length: int) -> AsyncGenerator[bytes]:
        self.bytes += length
        yield await connection.reader.readexactly(length)

    async def _chunks(self, connection: Connection) -> AsyncGenerator[bytes]:
        while size := int(line := await connection.reader.readline(), 16):
            piece = await connection.reader.readexactly(size + 2)
            self.bytes += len(line) + len(piece)
            yield piece[:-2]
        self.bytes += len(await connection.reader.readline()) + 3
