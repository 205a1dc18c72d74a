"""The routes of `api` on a real server on loopback, in front of a source operated by hand."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware

from streamchat.api import options
from streamchat.api.routes import PATH, routes
from streamchat.api.stream import KEEPALIVE_SECONDS
from streamchat.chat.asking import Chat
from streamchat.chat.files import Files
from streamchat.chat.parties import Sources
from streamchat.events import Event, Message, Request
from streamchat.look import Look
from streamchat.replies.reply import Reply
from streamchat.store.database import Store
from streamchat.visitors.visitor import Proxies
from streamchat.web.allowlist import Allowlist
from streamchat.web.bodies import BoundedBodies
from streamchat.web.hosts import HostCheck, Hosts
from streamchat.web.login import LoginCheck, Logins
from streamchat.web.login_page import LoginPage
from streamchat.web.shell import Shell
from tests.hand import Hand

EVENTS = {"accept": "text/event-stream"}
HI = {"message": "hi"}


class Source(Hand):
    """Gives each asker a hand of their own, or raises `refusal`."""

    name = "the hand"
    model = "hand"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Message, ...]] = []
        self.refusal: Exception | None = None

    def stream(self, request: Request) -> AsyncGenerator[Event]:  # type: ignore[override]
        if self.refusal:
            raise self.refusal
        self.asked.append(request.conversation)
        return super().stream(request.meter)

    async def open(self) -> None: ...

    async def close(self) -> None: ...


@dataclass
class Served:
    source: Source
    chat: Chat
    client: httpx.AsyncClient
    port: int
    app: FastAPI

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    async def ask(self, *events: Event | Exception) -> str:
        """Asks, has the source say these events, and returns the reply's address once all are in
        its log."""
        self.source.say(*events)
        reply = await self.chat.ask([Message("user", "hi")])
        await until(lambda: len(reply.log) == len(events))
        return f"{PATH}/{reply.id}"

    async def again(self, location: str, after: int = 0) -> str:
        """The events that a reader gets from that position on."""
        answer = await self.client.get(location, headers=EVENTS | {"last-event-id": str(after)})
        return events(answer.text)

    async def reply(self, location: str) -> Reply:
        return await self.chat.resume(location.rpartition("/")[2])

    async def exchange(self, request: bytes) -> bytes:
        """All bytes that the server sends in answer to these until it closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def served(
    login: tuple[str, str] | None = None,
    *,
    linger: float = 60,
    keep: float = 3600,
    source: Source | None = None,
    chat: Chat | None = None,
    files: Files | None = None,
    keepalive: float = KEEPALIVE_SECONDS,
) -> AsyncIterator[Served]:
    """A `chat` has a source of its own, which no hand operates."""
    source = source or Source()
    chat = chat or Chat(Sources(source), Store(""), linger=linger, keep=keep, files=files)
    own = [
        *routes(chat, lambda *_: "visitor", keepalive=keepalive).routes,
        *options.routes(chat, lambda *_: "visitor").routes,
    ]
    app = FastAPI(
        title="Tiny",
        routes=own,
        middleware=[
            Middleware(HostCheck, Hosts(), Proxies.of("", on_spaces=False)),
            Middleware(Allowlist, [*own, *FastAPI().routes]),
            *(
                [
                    Middleware(
                        LoginCheck, Logins(*login, lambda *_: "visitor", LoginPage(Shell(Look)))
                    )
                ]
                if login
                else ()
            ),
            Middleware(BoundedBodies, lambda *_: "visitor"),
        ],
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    port = listening.getsockname()[1]
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=20, verify=False
        ) as client:
            yield Served(source, chat, client, port, app)
    finally:
        await chat.close()
        server.should_exit = True
        await serving


def events(sent: str) -> str:
    """The events of a response, without the retry line and the comments."""
    return re.sub(r"^(retry: 2000|:)\n", "", sent, flags=re.MULTILINE)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 (what is waited for says nothing when it is there)
        await asyncio.sleep(0.001)
