"""A visitor who sends everything they can: `python -m benchmarks.attacker <url> <seconds>`."""

import asyncio
import json
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from benchmarks.tab import Blueprint
from benchmarks.words import Order

ADDRESS = "127.0.0.66"
# seconds for an answer
WAIT = 10.0
MESSAGE = "x\n" * 1_900_000
MARKED = "<b>*a*</b>" * 90_000
HISTORY = [
    {
        "role": role,
        "content": [{"type": "text", "text": "x" * 7_000}],
        "metadata": None,
        "options": None,
    }
    for role in ("user", "assistant") * 500
]


class Attacker:
    """Each of its attacks sends one request, or opens one connection, and is repeated without
    end."""

    def __init__(self, url: str, blueprint: Blueprint) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._events = {kind: blueprint.started(kind) for kind in ("load", "submit")}
        self._box = blueprint.box
        self._held: list[asyncio.StreamWriter] = []
        self._session = secrets.token_hex(6)
        self.sent = 0

    def attacks(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            self.long_message,
            self.long_message,
            self.claim,
            self.watch,
            self.watch,
            self.history,
            self.many_turns,
            self.long_question,
            self.questions,
            self.half_a_body,
            self.nothing,
            self.long_session,
            self.rubbish,
            self.page,
        ]

    async def repeat(self, attack: Callable[[], Awaitable[None]]) -> None:
        while True:
            with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                async with asyncio.timeout(WAIT):
                    await attack()
            await asyncio.sleep(0.005)

    async def long_message(self) -> None:
        """Typed into a new page, which the server keeps with all it was sent."""
        await self._call(0, "submit", [MESSAGE], secrets.token_hex(6))

    async def claim(self) -> None:
        await self._call(0, "load", [self._session, MARKED], secrets.token_hex(6))

    async def watch(self) -> None:
        """Waits for an answer that does not come."""
        await self._call(
            1,
            "submit",
            [],
            secrets.choice([self._session, secrets.token_hex(6)]),
            path="queue/join",
        )

    async def history(self) -> None:
        body = {"fn_index": 4, "session_hash": secrets.token_hex(6), "data": [HISTORY]}
        await self._post("/gradio_api/run/predict", json.dumps(body).encode())

    async def many_turns(self) -> None:
        await self._post(
            "/api/streaming-chat", b'{"messages":[' + b",".join([b"0"] * 59_000) + b"]}"
        )

    async def long_question(self) -> None:
        await self._post("/api/streaming-chat", json.dumps({"message": "x\n" * 4_000_000}).encode())

    async def questions(self) -> None:
        order = str(Order(2_000, 0, "a", secrets.randbelow(10**6)))
        await self._post("/api/streaming-chat", json.dumps({"message": MARKED + order}).encode())

    async def half_a_body(self) -> None:
        head = self._head("/api/streaming-chat", 16_000_000)
        await self._hold(head + b'{"message":"' + b"x" * 1_000_000)

    async def nothing(self) -> None:
        await self._hold(b"")

    async def long_session(self) -> None:
        await self._call(1, "submit", [], "s" * 5_000_000, path="queue/join")

    async def rubbish(self) -> None:
        await self._exchange(b"\x16\x03\x01rubbish\r\n\r\n")

    async def page(self) -> None:
        await self._exchange(
            f"GET / HTTP/1.1\r\nhost: {self._host}:{self._port}\r\nconnection: close\r\n\r\n".encode()
        )

    async def _call(
        self, number: int, kind: str, data: list[Any], session: str, path: str = "run/predict"
    ) -> None:
        event = self._events[kind][number]
        body = {
            "fn_index": event.id,
            "session_hash": session,
            "data": data,
            "trigger_id": self._box,
        }
        await self._post(f"/gradio_api/{path}", json.dumps(body).encode())

    async def _post(self, path: str, body: bytes) -> None:
        await self._exchange(self._head(path, len(body)) + body)

    def _head(self, path: str, length: int) -> bytes:
        head = f"POST {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\nconnection: close\r\n"
        return f"{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()

    async def _exchange(self, request: bytes) -> None:
        reader, writer = await self._connect()
        try:
            writer.write(request)
            while await reader.read(2**16):
                pass
            self.sent += len(request)
        finally:
            writer.transport.abort()

    async def _hold(self, begun: bytes) -> None:
        _, writer = await self._connect()
        writer.write(begun)
        self._held.append(writer)
        if len(self._held) > 200:
            self._held.pop(0).transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            self._host, self._port, local_addr=(ADDRESS, 0), family=socket.AF_INET
        )


async def attack(url: str, seconds: float) -> None:
    attacker = Attacker(url, await Blueprint.of(url))
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*map(attacker.repeat, attacker.attacks()))
    sys.stdout.write(f"{attacker.sent}\n")


if __name__ == "__main__":
    asyncio.run(attack(sys.argv[1], float(sys.argv[2])))
