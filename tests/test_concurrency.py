"""The number of requests in progress at once, in front of an app whose requests a test ends by
hand."""

import asyncio
import json
import urllib.request

import pytest
from starlette.types import Message, Receive, Scope, Send

from streamchat.web.concurrency import AT_ONCE, PAGES, ConcurrencyLimit
from tests.application import Application
from tests.hand import settle


class Work:
    """The app behind the limit: `begun` has the requests that reached it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.bodies: list[bytes] = []
        self.may_respond = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])
        more = True
        while more:
            message = await receive()
            self.bodies.append(message.get("body", b""))
            more = message.get("more_body", False)
        await self.may_respond.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b""})


class Client:
    def __init__(self, *body: Message) -> None:
        self._body = list(body)
        self.received: list[str] = []
        self.task: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        return self._body.pop(0) if self._body else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(self, message: Message) -> None:
        self.received.append(message["type"])


WHOLE: Message = {"type": "http.request", "body": b"{}"}
BEGINNING: Message = {"type": "http.request", "body": b"{", "more_body": True}


class Door:
    def __init__(self) -> None:
        self.work = Work()
        self._limit = ConcurrencyLimit(self.work, lambda peer, *_: peer or "")
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(
        self,
        *body: Message,
        path: str = PAGES + "run/predict",
        method: str = "POST",
        address: str = "192.0.2.1",
        root: str = "",
    ) -> Client:
        client = Client(*body)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "client": (address, 1),
            "headers": [],
        }
        scope["root_path"] = root
        client.task = asyncio.create_task(self._limit(scope, client.receive, client.send))
        self._tasks.add(client.task)
        await settle()
        return client

    async def close(self) -> None:
        self.work.may_respond.set()
        self.work.may_end.set()
        _, pending = await asyncio.wait(self._tasks, timeout=1)
        for task in pending:
            task.cancel()


async def test_a_rush_is_worked_on_a_few_at_a_time() -> None:
    """Of ten requests at once two begin; all are answered in the end."""
    door = Door()
    clients = [await door.ask(WHOLE) for _ in range(10)]
    assert len(door.work.begun) == AT_ONCE == 2
    await door.close()
    assert all(
        client.received == ["http.response.start", "http.response.body"] for client in clients
    )
    assert door.work.bodies == [b"{}"] * 10


async def test_a_rush_below_a_proxys_path_is_no_less_counted() -> None:
    """Requests are counted also below a proxy's prefix, and below one that a stranger makes up."""
    door = Door()
    for _ in range(10):
        await door.ask(WHOLE, path="/chat" + PAGES + "run/predict", root="/chat")
    assert len(door.work.begun) == AT_ONCE
    await door.close()


async def test_a_visitors_rush_leaves_a_place_for_others() -> None:
    """Another visitor's first request begins at once, however many one visitor sends."""
    door = Door()
    for _ in range(10):
        await door.ask(WHOLE, path=PAGES + "rush", address="198.51.100.66")
    await door.ask(WHOLE, path=PAGES + "other")
    assert door.work.begun == [PAGES + "rush", PAGES + "rush", PAGES + "other"]
    await door.close()


async def test_visitors_who_wait_take_turns() -> None:
    """A visitor's single request does not wait for all ten of another visitor that came before
    it."""
    door = Door()
    for number in range(3):
        await door.ask(WHOLE, address=f"203.0.113.{number}")
    for _ in range(10):
        await door.ask(WHOLE, path=PAGES + "rush", address="198.51.100.66")
    await door.ask(WHOLE, path=PAGES + "other")
    door.work.may_respond.set()
    await settle()
    assert PAGES + "other" in door.work.begun[3:6]
    await door.close()


async def test_a_client_that_leaves_while_it_waits_takes_no_place() -> None:
    """A request that is cancelled while it waits is skipped, and the next one begins."""
    door = Door()
    clients = [await door.ask(WHOLE, path=f"{PAGES}{number}") for number in range(4)]
    assert clients[2].task
    clients[2].task.cancel()
    door.work.may_respond.set()
    await settle()
    assert door.work.begun == [PAGES + "0", PAGES + "1", PAGES + "3"]
    await door.close()


async def test_a_response_that_has_begun_is_no_longer_counted() -> None:
    """Streams and slow readers take no place."""
    door = Door()
    for _ in range(4):
        await door.ask(WHOLE)
    door.work.may_respond.set()
    await settle()
    assert len(door.work.begun) == 4
    await door.close()


async def test_a_client_that_sends_slowly_holds_up_nobody() -> None:
    """A request takes a place once its whole body is there; its parts arrive in order."""
    door = Door()
    slow = [await door.ask(BEGINNING) for _ in range(5)]
    await door.ask(WHOLE)
    assert len(door.work.begun) == 6
    assert not any(client.received for client in slow)
    await door.close()


async def test_work_that_takes_long_makes_room() -> None:
    """Behind two requests that never end, the next one begins after a quarter of a second."""
    door = Door()
    for _ in range(4):
        await door.ask(WHOLE)
    async with asyncio.timeout(10):
        while len(door.work.begun) < 4:
            await settle()
    await door.close()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PAGES + "queue/data"), ("POST", "/api/streaming-chat")]
)
async def test_streams_and_programs_do_not_wait(method: str, path: str) -> None:
    """Requests that last as long as an answer are not counted at all."""
    door = Door()
    for _ in range(10):
        await door.ask(WHOLE, method=method, path=path)
    assert len(door.work.begun) == 10
    await door.close()


def test_gradios_pages_ask_where_they_are_counted(app: Application) -> None:
    """Gradio's pages send their requests to the paths that the limit counts."""
    with urllib.request.urlopen(f"{app.url}/config") as config:
        assert json.load(config)["api_prefix"] + "/" == PAGES
