"""A Claude that follows a test's script, over real HTTP on loopback, and notices when its reader
leaves. A script is a list of steps: bytes are sent as they are, a float is waited for in seconds, a
`Hold` waits until it is released, `RESET` and `CUT` end the connection with an RST or in the middle
of the body."""

import asyncio
import base64
import io
import json
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Self

from PIL import Image

RESET, CUT = object(), object()

CAPABLE: dict[str, Any] = {
    "citations": {"supported": True},
    "server_tools": {"supported": True, "web_search": {"supported": True}},
    "thinking": {
        "supported": True,
        "types": {
            name: {"supported": True}
            for name in ("adaptive", "between_tools", "disabled", "enabled")
        },
    },
    "effort": {
        "supported": True,
        **{level: {"supported": True} for level in ("low", "medium", "high", "max", "xhigh")},
    },
}


class Hold:
    """A step that a test releases by hand."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = Future[None]()

    def release(self) -> None:
        self.released.set_result(None)


Step = bytes | float | Hold | object
Script = Sequence[Step]


def counted(body: dict[str, Any], *, byte: float = 1.0, page: int = 2_700) -> int:
    """The tokens of a request as Claude counts them: of a text a part of its bytes, of a picture
    its squares of 28 pixels, of a PDF so many for each page and its text."""
    contents = [message["content"] for message in body["messages"]]
    listed = [[content] if isinstance(content, str) else content for content in contents]
    blocks = [block for content in listed for block in content]
    text = str(body.get("system", "")) + "".join(map(_words, blocks))
    seen = sum(_seen(block, page) for block in blocks if isinstance(block, dict))
    return 10 + 4 * len(contents) + math.ceil(byte * len(text.encode())) + seen


def _words(block: str | dict[str, Any]) -> str:
    if isinstance(block, str):
        return block
    source = block.get("source", {})
    return block.get("text") or (source["data"] if source["type"] == "text" else "")


def _seen(block: dict[str, Any], page: int) -> int:
    source = block.get("source", {})
    if source.get("type") != "base64":
        return 0
    data = io.BytesIO(base64.b64decode(source["data"], validate=True))
    if block["type"] == "image":
        width, height = Image.open(data).size
        assert max(width, height) <= 2_576
        return math.ceil(width / 28) * math.ceil(height / 28)
    return data.getvalue().count(b"/Type/Page/") * page


class Exchange:
    """One request to `/v1/messages` and its outcome."""

    def __init__(self, headers: dict[str, str], body: dict[str, Any]) -> None:
        self.headers = headers
        self.body = body
        self.gone = threading.Event()
        self.gone_at = 0.0

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(message["role"], message["content"]) for message in self.body["messages"]]

    def left(self) -> None:
        if not self.gone.is_set():
            self.gone_at = time.monotonic()
            self.gone.set()


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


def start(**usage: int) -> bytes:
    counted = {
        "input_tokens": 25,
        "output_tokens": 1,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
    }
    return event(
        "message_start", message={**message, "stop_reason": None, "usage": {**counted, **usage}}
    )


def delta(text: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def thought(text: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": text})


def opens(kind: str = "text") -> bytes:
    return event("content_block_start", index=0, content_block={"type": kind, kind: ""})


CLOSES = event("content_block_stop", index=0)
PING = event("ping")


def ends(reason: str | None = "end_turn", output_tokens: int = 42, **delta: Any) -> bytes:
    changed = {"stop_reason": reason, "stop_sequence": None, **delta}
    usage = {"output_tokens": output_tokens}
    return event("message_delta", delta=changed, usage=usage) + event("message_stop")


def looks_up(query: str, id_: str = "srvtoolu_1") -> bytes:
    """A search, whose query comes in two pieces, as Claude sends it."""
    tool = {"type": "server_tool_use", "id": id_, "name": "web_search", "input": {}}
    text = json.dumps({"query": query})
    pieces = ("", text[:6], text[6:])
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block(tool, *deltas)


def finds(*pages: dict[str, Any], id_: str = "srvtoolu_1", failure: str = "") -> bytes:
    """The results of a search, or its failure."""
    error = {"type": "web_search_tool_result_error", "error_code": failure}
    content = error if failure else list(pages)
    kind = "web_search_tool_result"
    return block({"type": kind, "tool_use_id": id_, "content": content})


def page(url: str, title: str | None = "A page", *, size: int = 40) -> dict[str, Any]:
    return {
        "type": "web_search_result",
        "url": url,
        "title": title,
        "encrypted_content": "E" * size,
        "page_age": "May 2, 2026",
    }


def quotes(url: str, words: str = "so it is", title: str | None = "A page") -> dict[str, Any]:
    """A citation of a page."""
    place = {"type": "web_search_result_location", "url": url, "title": title}
    return {**place, "cited_text": words, "encrypted_index": "I" + words}


def cites(text: str, *citations: dict[str, Any]) -> bytes:
    """A block of text with citations, which come before it."""
    cited = [{"type": "citations_delta", "citation": citation} for citation in citations]
    texts = [{"type": "text_delta", "text": text}]
    return block({"type": "text", "text": "", "citations": []}, *cited, *texts)


def block(begun: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    pieces = [event("content_block_delta", index=0, delta=delta) for delta in deltas]
    return event("content_block_start", index=0, content_block=begun) + b"".join(pieces) + CLOSES


def settles(reason: str = "end_turn", *, searches: int, **usage: int) -> bytes:
    """The end of an answer with searches, and all that Claude has read for it."""
    counted = {"output_tokens": 42, **usage, "server_tool_use": {"web_search_requests": searches}}
    changed = {"stop_reason": reason, "stop_sequence": None}
    return event("message_delta", delta=changed, usage=counted) + event("message_stop")


def opening(
    content_type: str = "text/event-stream; charset=utf-8", status: str = "200 OK", **headers: str
) -> bytes:
    fields = {
        "content-type": content_type,
        "request-id": "req_scripted",
        "transfer-encoding": "chunked",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def streams(*steps: Step) -> Script:
    """A 200 with an event stream of these steps; each bytes step is sent as one chunk."""
    return [opening(), *steps]


def says(
    *pieces: str, pause: float = 0.0, thinks: Iterable[str] = (), reason: str = "end_turn"
) -> Script:
    """A whole, well-formed answer, with a pause of so many seconds before each piece."""
    thinking = [opens("thinking"), *(thought(piece) for piece in thinks), CLOSES] if thinks else []
    text = [
        step for piece in pieces for step in ((pause, delta(piece)) if pause else (delta(piece),))
    ]
    return streams(start(), *thinking, opens(), *text, CLOSES, ends(reason))


def refuses(
    status: int, kind: str, message: str = "No.", *, error_code: str = "", **headers: str
) -> Script:
    """An HTTP error as Claude sends it."""
    details = {"details": {"error_code": error_code}} if error_code else {}
    body = json.dumps(
        {"type": "error", "error": {"type": kind, "message": message, **details}}
    ).encode()
    fields = {"content_length": str(len(body)), "transfer_encoding": "identity", **headers}
    head = opening("application/json", f"{status} Error", **fields).replace(
        b"transfer-encoding: identity\r\n", b""
    )
    return [head + body, None]


def breaks(kind: str = "overloaded_error", message: str = "Overloaded") -> bytes:
    """An `error` event in the stream."""
    return event("error", error={"type": kind, "message": message}, request_id="req_in_stream")


class ScriptedClaude:
    """Plays one script for each request, and repeats the last one; `with` starts and ends it."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts: list[Script] = list(scripts) or [says("Hello", " there")]
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.capabilities: dict[str, Any] | None = CAPABLE
        self.models: list[dict[str, Any]] = []
        self.most_tokens = 128_000
        self.models_status = 200
        self.models_asked = 0
        # requests to count tokens; None in place of a number is a failure
        self.to_count: list[dict[str, Any]] = []
        self.count: Callable[[dict[str, Any]], int | None] = counted
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def play(self, *scripts: Script) -> None:
        """Sets the scripts for the requests from now on."""
        self.scripts = list(scripts)

    def exchange(self, number: int, timeout: float = 20) -> Exchange:
        """The request of that number, counted from 0, as soon as it is there."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.exchanges) > number, timeout), (
                "Claude was not asked"
            )
        return self.exchanges[number]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connection, "127.0.0.1", 0)
        )
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        early: bytes | None = b""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while early is not None:
                head = (early + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value
                    for name, _, value in (line.partition(": ") for line in head[1:])
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if head[0].startswith("GET /v1/models?"):
                    writer.write(answered({"data": self.models, "has_more": False}))
                    early = b""
                elif head[0].startswith("GET /v1/models/"):
                    writer.write(self._model())
                    early = b""
                elif head[0].startswith("POST /v1/messages/count_tokens"):
                    writer.write(self._counted(json.loads(body)))
                    early = b""
                else:
                    early = await self._answer(Exchange(headers, json.loads(body)), reader, writer)
        writer.close()

    def _counted(self, body: dict[str, Any]) -> bytes:
        self.to_count.append(body)
        # as Claude does with its own tools
        number = None if "tools" in body else self.count(body)
        if number is None:
            return refuses(500, "api_error")[0]  # type: ignore[return-value]
        return answered({"input_tokens": number})

    def _model(self) -> bytes:
        self.models_asked += 1
        if self.models_status != 200:
            return refuses(self.models_status, "authentication_error", "invalid key")[0]  # type: ignore[return-value]
        model = {
            "type": "model",
            "id": "claude-sonnet-5-5",
            "display_name": "Sonnet",
            "lifecycle": "active",
            "max_tokens": self.most_tokens,
        }
        created = {"created_at": "2026-09-28T00:00:00Z"}
        return answered({**model, **created, "capabilities": self.capabilities})

    async def _answer(
        self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        """Plays the next script. What came of the next request meanwhile, or None if there can be
        none."""
        with self._arrived:
            self.exchanges.append(exchange)
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            self._arrived.notify_all()
        playing = asyncio.ensure_future(_play(script, writer))
        leaving = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done() or playing.exception():
            exchange.left()
        playing.cancel()
        leaving.cancel()
        reusable, early = await asyncio.gather(playing, leaving, return_exceptions=True)
        if reusable is not True:
            return None
        return early if isinstance(early, bytes) else b""


def answered(body: dict[str, Any]) -> bytes:
    """A 200 with this JSON."""
    data = json.dumps(body).encode()
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:"
    return f"{head} {len(data)}\r\n\r\n".encode() + data


async def _play(script: Script, writer: asyncio.StreamWriter) -> bool:
    head, *steps = script
    assert isinstance(head, bytes)
    writer.write(head)
    for step in steps:
        await writer.drain()
        match step:
            case bytes():
                writer.write(f"{len(step):x}\r\n".encode() + step + b"\r\n")
            case float():
                await asyncio.sleep(step)
            case Hold():
                step.reached.set()
                await asyncio.shield(asyncio.wrap_future(step.released))
            case None:
                return True
            case _:
                end(writer, reset=step is RESET)
                return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset:
        linger_not_at_all = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger_not_at_all
        )
        writer.transport.abort()
    else:
        writer.close()
