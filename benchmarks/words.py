"""A Claude that writes numbered words on a fixed schedule: `python -m benchmarks.words <port>`."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PARAGRAPH = 60  # words
# the letter of words that each have a line of their own
ALONE = "l"
ORDER = re.compile(
    r"Write (\d+) words at (\d+) a second, each with an? ([a-z]), please\. \((\d+)\)"
)


@dataclass(frozen=True)
class Order:
    """The answer to a question. Word 17 is `w17`, due 17 / rate seconds after the first; all at
    once if rate is 0."""

    words: int
    rate: int
    letter: str = "w"
    number: int = 0

    def __str__(self) -> str:
        return (
            f"Write {self.words} words at {self.rate} a second, each with a {self.letter}, please."
            f" ({self.number})"
        )

    @classmethod
    def last_in(cls, body: str) -> "Order":
        words, rate, letter, number = re.findall(ORDER, body)[-1]
        return cls(int(words), int(rate), letter, int(number))

    def due(self, word: int) -> float:
        return word / self.rate if self.rate else 0.0

    def word(self, number: int) -> str:
        if self.letter == ALONE:
            return f"- {self.letter}{number} is the **number** of this `line`\n"
        return f"{self.letter}{number}" + ("\n\n" if number % PARAGRAPH == PARAGRAPH - 1 else " ")

    def text(self) -> str:
        return "".join(self.word(number) for number in range(self.words))


def event(kind: str, **fields: Any) -> bytes:
    data = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, separators=(',', ':'))}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


def response(body: Any) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(data),
        data,
    )


USAGE = {
    "input_tokens": 25,
    "output_tokens": 1,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [],
}
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"request-id: req_1\r\ntransfer-encoding: chunked\r\n\r\n"
)
OPENING = (
    HEAD
    + event(
        "message_start",
        message={**MESSAGE, "stop_reason": None, "stop_sequence": None, "usage": USAGE},
    )
    + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
)
EFFORT = {
    "supported": True,
    **{level: {"supported": True} for level in ("low", "medium", "high", "max", "xhigh")},
}
THINKING = {
    "supported": True,
    "types": {kind: {"supported": True} for kind in ("adaptive", "disabled", "enabled")},
}
MODEL = {
    "type": "model",
    "id": MESSAGE["model"],
    "display_name": "Sonnet",
    "lifecycle": "active",
    "created_at": "2026-09-28T00:00:00Z",
    "capabilities": {"thinking": THINKING, "effort": EFFORT},
}


def closing(order: Order) -> bytes:
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    return (
        event("content_block_stop", index=0)
        + event("message_delta", delta=ending, usage={"output_tokens": order.words})
        + event("message_stop")
        + b"0\r\n\r\n"
    )


def delta(order: Order, number: int) -> bytes:
    return event(
        "content_block_delta", index=0, delta={"type": "text_delta", "text": order.word(number)}
    )


class Ledger:
    """When each order's first word was written, in seconds of the epoch, and how late a word ever
    was."""

    def __init__(self) -> None:
        self.starts: dict[str, float] = {}
        self.latest = 0.0

    def report(self) -> dict[str, Any]:
        return {"starts": self.starts, "latest": self.latest}


class Connection(asyncio.Protocol):
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def connection_lost(self, _: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if found and len(body) >= (size := int(length[1]) if length else 0):
            self._received = body[size:]
            self._answer(head, body[:size])

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST"):
            self._write(Order.last_in(json.dumps(json.loads(body), ensure_ascii=False)))
        elif head.startswith(b"GET /v1/models/"):
            self._transport.write(response(MODEL))
        else:
            self._transport.write(response(self._ledger.report()))

    def _write(self, order: Order) -> None:
        began = self._loop.time()
        self._ledger.starts[str(order)] = time.time()
        self._transport.write(OPENING)
        self._go_on(order, began, self._deltas(order))

    def _go_on(self, order: Order, began: float, deltas: Iterator[tuple[float, bytes]]) -> None:
        now = self._loop.time() - began
        for due, data in deltas:
            if due > now:
                self._timer = self._loop.call_at(
                    began + due, self._late, order, began, deltas, due, data
                )
                return
            self._transport.write(data)
        self._transport.write(closing(order))

    def _late(
        self,
        order: Order,
        began: float,
        deltas: Iterator[tuple[float, bytes]],
        due: float,
        data: bytes,
    ) -> None:
        self._transport.write(data)
        self._ledger.latest = max(self._ledger.latest, self._loop.time() - began - due)
        self._go_on(order, began, deltas)

    @staticmethod
    def _deltas(order: Order) -> Iterator[tuple[float, bytes]]:
        if not order.rate:
            yield 0.0, b"".join(delta(order, number) for number in range(order.words))
        else:
            for number in range(order.words):
                yield order.due(number), delta(order, number)


async def serve(port: int) -> None:
    ledger, loop = Ledger(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(ledger), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
