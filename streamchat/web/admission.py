"""Asks `Crowd` whether there is room for a call or a stream of Gradio's pages. Runs behind
`Calls`."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.visitors import Identify
from streamchat.web.allowlist import ID
from streamchat.web.calls import Call
from streamchat.web.crowd import RETRY, Crowd
from streamchat.web.problem import Unfit
from streamchat.web.sessions import GradioSessions, Session

HEARTBEAT_PATH = re.compile(r"/gradio_api/heartbeat/([^/]+)$")
CALLED = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([^/]+)$")


class Admission:
    def __init__(
        self,
        app: ASGIApp,
        identify: Identify,
        gradio: Callable[[Scope], GradioSessions],
        crowd: Crowd,
    ) -> None:
        self._app = app
        self._identify = identify
        self._gradio = gradio
        self._crowd = crowd

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call | None = scope.get("call")
        session = self._streamed(scope)
        try:
            if call:
                await self._call(call, scope, receive, send)
            elif session is not None:
                await self._stream(session, scope, receive, send)
            else:
                await self._app(scope, receive, send)
        except Unfit as error:
            await error.response()(scope, receive, send)

    async def _call(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        name, gradio = self._visitor(scope), self._gradio(scope)
        session = self._crowd.enter(name, call.session, call.size, gradio) if call.session else None
        if call.waits:
            self._crowd.admit(name, session, call, gradio)
        answer = Answer(send)
        with working(session):
            try:
                await self._app(scope, receive, answer)
            finally:
                if call.waits:
                    self._crowd.join(name, call.session, answer.event, call)

    async def _stream(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not ID.fullmatch(session):
            raise Unfit(422, "invalid_call", RETRY, wording="bad_id", name="session_hash")
        gradio = self._gradio(scope)
        place = self._crowd.open_stream(self._visitor(scope), session, gradio)
        try:
            await self._app(scope, receive, send)
        finally:
            self._crowd.close_stream(session, place, gradio)

    def _streamed(self, scope: Scope) -> str | None:
        """The session whose heartbeat or messages the request asks for, or None."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if scope["path"].endswith("/gradio_api/queue/data"):
            return QueryParams(scope["query_string"]).get("session_hash", "")
        if called := CALLED.search(scope["path"]):
            return self._crowd.session_of(called[1])
        heartbeat = HEARTBEAT_PATH.search(scope["path"])
        return heartbeat and heartbeat[1]

    def _visitor(self, scope: Scope) -> str:
        return self._identify(
            scope["client"][0] if scope["client"] else None, Headers(scope=scope), None
        )


class Answer:
    """Passes a response on, and remembers the event id in it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.event: str | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body" and message.get("body", b"").startswith(
            b'{"event_id":'
        ):
            self.event = orjson.loads(message["body"])["event_id"]
        await self._send(message)


@contextmanager
def working(session: Session | None) -> Iterator[None]:
    """Keeps a session while Gradio works on one of its calls; otherwise Gradio would create it
    again."""
    if session:
        session.calls += 1
    try:
        yield
    finally:
        if session:
            session.calls -= 1
