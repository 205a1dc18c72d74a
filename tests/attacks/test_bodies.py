"""Attacks with bodies that are long, slow, numerous, or expensive to parse."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from streamchat.visitors import Flow
from streamchat.web.bodies import SMALL, Arrival, BoundedBodies
from streamchat.web.bounds import Bound
from streamchat.web.marks import Marks
from tests.application import Application
from tests.hand import Ticking, settle

BOUND = Bound(1_000_000, 1_000)
JSON = {"Content-Type": "application/json"}


class Chat:
    """Stands in for what parses bodies: keeps them, and answers when `may_answer` is set."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            self.messages.append(await receive())
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b""})


class Client:
    """Sends parts of a body when the test says so."""

    def __init__(self, app: BoundedBodies, headers: Mapping[str, str], **scope: Any) -> None:
        self._parts: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        given = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        ours = {
            "type": "http",
            "method": "POST",
            "path": "/chat",
            "headers": given,
            "client": ("203.0.113.7", 1),
        }
        self.task = asyncio.create_task(app({**ours, **scope}, self._parts.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def says(self, *parts: bytes, more: bool = True) -> "Client":
        for part in parts:
            self._parts.put_nowait({"type": "http.request", "body": part, "more_body": True})
        if not more:
            self._parts.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        await settle()
        return self

    @property
    def unread(self) -> int:
        """How many parts are still to be received."""
        return self._parts.qsize()

    def goes(self) -> None:
        self._parts.put_nowait({"type": "http.disconnect"})

    async def status(self) -> int:
        async with asyncio.timeout(10):
            while not self.sent:  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0)
        return int(self.sent[0]["status"])

    @property
    def code(self) -> str:
        return str(json.loads(self.sent[1]["body"])["code"])


class Door:
    def __init__(self, **arrival: float) -> None:
        self.chat = Chat()
        limits = Arrival(**arrival)  # type: ignore[arg-type]
        self.app = BoundedBodies(
            self.chat, lambda peer, *_: peer or "", bounds={"POST /chat": BOUND}, arrival=limits
        )

    def opens(self, headers: Mapping[str, str] | None = None, **scope: Any) -> Client:
        return Client(
            self.app, {"Transfer-Encoding": "chunked"} if headers is None else headers, **scope
        )


@pytest.fixture
async def door() -> Door:
    return Door()


async def test_a_body_is_handed_on_as_a_whole(door: Door) -> None:
    """The app gets a body in one message, followed by the client's disconnect, in however many
    parts it arrived."""
    client = await door.opens().says(b'{"data"', b": [", b"1]}", more=False)
    assert await client.status() == 200
    assert door.chat.messages == [
        {"type": "http.request", "body": b'{"data": [1]}', "more_body": False}
    ]


@pytest.mark.parametrize(
    "length", ["1000001", "99999999999999999999999", "1e9", "-1", "+5", "0x10", "٣", ""]
)
async def test_a_length_that_is_too_long_or_none_is_refused_before_the_body(
    door: Door, length: str
) -> None:
    """A bad Content-Length is refused before the body is read, so that a client that waits for `100
    Continue` does not send it."""
    client = door.opens({"Content-Length": length})
    assert await client.status() in (400, 413)
    assert door.chat.messages == []


async def test_a_body_whose_length_is_not_told_is_refused_at_the_first_byte_too_many(
    door: Door,
) -> None:
    """A body without a length, or longer than its length, is read up to its bound only."""
    for headers in ({"Transfer-Encoding": "chunked"}, {"Content-Length": "10"}):
        client = await door.opens(headers).says(b" " * BOUND.size)
        assert not client.sent
        await client.says(b" ")
        assert (await client.status(), client.code) == (413, "too_long")


COSTLY = {
    "brackets": b"[" * 1_001,
    "objects": b'[{},{"a":[]}' + b",{}" * 500,
    "numbers": b"[1" + b",1" * 1_000,
    "fields": b"{" + b'"a":1,' * 501,
    "an escaped quote": b'["\\",' + b"[" * 1_001 + b'",' + b"1," * 1_000,
    "an escaped escape": b'["\\\\",' + b"1," * 1_000,
    "no JSON": b'\\"[' * 1_001,
}


@pytest.mark.parametrize("name", COSTLY)
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_body_of_very_many_values_is_refused_before_it_is_parsed(
    door: Door, name: str, size: int
) -> None:
    """The number of values in a body is bounded, because parsing them costs more than reading their
    bytes."""
    body = COSTLY[name]
    client = await door.opens().says(
        *(body[start : start + size] for start in range(0, len(body), size))
    )
    assert (await client.status(), client.code) == (413, "too_long")
    assert door.chat.messages == []


async def test_a_long_text_of_marks_is_not_many_values(door: Door) -> None:
    """Brackets and commas inside a string do not count as values, so that a visitor can paste a
    program or a table."""
    body = json.dumps({"data": ['[{"a": 1, "\\": "\\\\"}]' * 10_000]}).encode()
    assert await (await door.opens().says(body, more=False)).status() == 200


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
async def test_json_in_another_encoding_is_refused(door: Door, encoding: str) -> None:
    """JSON in UTF-16 and UTF-32 is refused, because its values cannot be counted before it is
    parsed."""
    client = await door.opens().says(json.dumps({"data": ["x"]}).encode(encoding), more=False)
    assert (await client.status(), client.code) == (400, "not_json")


@pytest.mark.parametrize(
    "encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "x"]
)
async def test_a_compressed_body_is_refused(door: Door, encoding: str) -> None:
    """A Content-Encoding is refused, because a few bytes could expand to very many."""
    client = door.opens({"Content-Encoding": encoding, "Content-Length": "10"})
    assert await client.status() == 415


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/chat"), ("DELETE", "/chat"), ("PUT", "/owner/pause"), ("POST", "/x")],
)
async def test_a_route_without_a_body_takes_none(door: Door, method: str, path: str) -> None:
    """A route without a body refuses one, with a Content-Length or chunked."""
    assert await door.opens({"Content-Length": "1"}, method=method, path=path).status() == 413
    assert await (await door.opens(method=method, path=path).says(b"x")).status() == 413
    empty = await door.opens({"Content-Length": "0"}, method=method, path=path).says(more=False)
    assert await empty.status() == 200
    assert await (await door.opens({}, method="GET", path=path).says(more=False)).status() == 200


async def test_a_route_is_the_same_below_a_prefix(door: Door) -> None:
    """The bounds hold behind a proxy that keeps its prefix in the path."""
    client = await door.opens(path="/prefix/chat", root_path="/prefix").says(b"{}", more=False)
    assert await client.status() == 200


@pytest.mark.parametrize("first", [b"", b"x" * 30_000])
async def test_a_body_that_stays_away_is_given_up(first: bytes) -> None:
    """A body that stops before its first byte or in the middle is refused, and the connection is
    closed."""
    door = Door(seconds=0.05, grace=0.05)
    client = await door.opens({"Content-Length": "50000"}).says(first)
    assert (await client.status(), client.code) == (408, "too_slow")
    assert (b"connection", b"close") in client.sent[0]["headers"]
    assert door.chat.messages == []


async def test_a_body_that_trickles_is_given_up() -> None:
    """A body that arrives below the minimum rate is refused before its time is over."""
    door = Door(seconds=1_000, grace=0.05, rate=10_000_000)
    client = door.opens()
    while not client.sent:
        await client.says(b"x")
    assert await client.status() == 408


async def test_a_client_that_leaves_gets_nothing(door: Door) -> None:
    """A client that disconnects during its body gets no response, and the app gets no request."""
    client = await door.opens().says(b"{")
    client.goes()
    await client.task
    assert (client.sent, door.chat.messages) == ([], [])


PART = b" " * 100_000


async def test_one_visitor_has_so_many_bytes_on_the_way_and_no_more() -> None:
    """Unfinished bodies of one visitor are bounded. Small bodies and other visitors' bodies are
    still accepted."""
    door = Door(visitor=250_000)
    held = [await door.opens().says(PART) for _ in range(2)]
    refused = await door.opens().says(PART)
    assert (await refused.status(), refused.code) == (429, "too_much_at_once")
    assert await (await door.opens().says(b" " * SMALL, more=False)).status() == 200
    assert (
        await (await door.opens(client=("203.0.113.8", 1)).says(PART, more=False)).status() == 200
    )
    assert not any(client.sent for client in held)
    assert await (await held[0].says(more=False)).status() == 200
    assert await (await door.opens().says(PART, more=False)).status() == 200


async def test_all_visitors_have_so_many_bytes_on_the_way_together() -> None:
    """Unfinished bodies of all visitors together are bounded."""
    door = Door(total=250_000)
    for number in range(2):
        await door.opens(client=(f"203.0.113.{number}", 1)).says(PART)
    assert await (await door.opens(client=("203.0.113.9", 1)).says(PART)).status() == 503


async def test_a_visitor_who_sends_without_end_is_read_slowly() -> None:
    """After a burst, a visitor's bodies are read at a bounded rate, and other visitors' at once."""
    door = Door(burst=150_000, flow=1)
    first = await door.opens().says(PART, PART, PART)
    assert first.unread == 1
    other = await door.opens(client=("203.0.113.8", 1)).says(PART, more=False)
    assert await other.status() == 200
    assert await (await door.opens().says(b" " * SMALL, more=False)).status() == 200
    assert first.unread == 1
    first.task.cancel()


def test_sent_bytes_are_forgotten_in_time() -> None:
    """Bytes over the burst delay their visitor's next body until enough time has passed, and nobody
    else's."""
    clock = Ticking()
    flow = Flow(100, 10, clock=clock)
    assert [flow.take("a", 100), flow.take("a", 50), flow.take("b", 100)] == [0, 5, 0]
    clock.now += 5
    assert flow.take("a", 10) == 1
    clock.now += 1_000
    assert flow.take("a", 100) == 0


@pytest.mark.parametrize("end", ["refused", "gone", "answered", "failed"])
async def test_a_body_that_is_no_longer_on_the_way_does_not_count(end: str) -> None:
    """A body stops counting when its response begins or its client disconnects."""
    door = Door(visitor=150_000)
    for _ in range(5):
        client = await door.opens().says(PART)
        match end:
            case "refused":
                await client.says(b"\0")
            case "gone":
                client.goes()
                await client.task
            case "answered":
                door.chat.may_end.clear()
                assert await (await client.says(more=False)).status() == 200
            case "failed":
                door.chat.may_answer.clear()
                await client.says(more=False)
                client.task.cancel()
                await settle()


async def test_a_body_counts_until_its_answer_begins() -> None:
    """A body counts while its request waits for its turn."""
    door = Door(visitor=150_000)
    door.chat.may_answer.clear()
    await door.opens().says(PART, more=False)
    assert await (await door.opens().says(PART)).status() == 429


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def marks(document: Any) -> int:
    if isinstance(document, dict):
        return 2 * len(document) + (not document) + sum(map(marks, document.values()))
    if isinstance(document, list):
        return len(document) + (not document) + sum(map(marks, document))
    return 0


@given(DOCUMENTS, st.booleans(), st.integers(1, 10))
def test_the_count_is_that_of_the_json(document: Any, plain: bool, size: int) -> None:
    """The count is right for any document, in whatever chunks it comes."""
    body = json.dumps(document, ensure_ascii=plain).encode("utf-8", "replace")
    counter = Marks()
    counts = [counter.count(body[start : start + size]) for start in range(0, len(body), size)]
    assert counts[-1] == marks(document)


BODIES = {
    "long": b"[" + b" " * 8_000_000 + b"]",
    "many": b"[" + b"{}," * 50_000 + b"]",
    "odd": "[]".encode("utf-16"),
}


@pytest.mark.parametrize(("name", "status"), [("long", 413), ("many", 413), ("odd", 400)])
@pytest.mark.parametrize(
    "path", ["queue/join", "run/chat", "call/chat", "call/v2/chat", "cancel", "reset"]
)
def test_the_running_app_keeps_these_bounds(
    app: Application, path: str, name: str, status: int
) -> None:
    """Every route of Gradio that reads a body has these bounds."""
    answer = httpx.post(
        f"{app.url}/gradio_api/{path}", content=BODIES[name], headers=JSON, timeout=30
    )
    assert answer.status_code == status
    assert answer.json().keys() == {"code", "message"}
