"""HTTP for programs: POST starts a reply, GET reads it from any position, DELETE stops it."""

import re
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from streamchat.api import openapi
from streamchat.api.question import read_question
from streamchat.api.sse import CUT_OFF
from streamchat.api.stream import HEADERS, KEEPALIVE_SECONDS, following, wants_events
from streamchat.chat import Asker, Chat
from streamchat.errors import UnknownReply
from streamchat.events import Done
from streamchat.replies import ID, Reply
from streamchat.visitors import Identify
from streamchat.web.login import user_of
from streamchat.web.problem import NO_STORE, Route, Unfit

PATH = "/api/streaming-chat"
KEY = re.compile(
    r""""(?P<quoted>(?:[ !#-\[\]-~]|\\["\\]){1,255})"|(?P<bare>[\w.~:/+=@*-]{1,255})""", re.ASCII
)


def routes(chat: Chat, identify: Identify, *, keepalive: float = KEEPALIVE_SECONDS) -> APIRouter:
    """The routes under /api, for any app to have."""
    router = APIRouter(
        route_class=Route,
        tags=["StreamChat"],
    )

    def follow(request: Request, reply: Reply, after: int) -> Response:
        location = f"{request.scope.get('root_path', '')}{PATH}/{reply.id}"
        return following(request, reply, after, chat.pace, location=location, keepalive=keepalive)

    @router.post(
        PATH, response_class=PlainTextResponse, responses=openapi.POST, openapi_extra=openapi.BODY
    )
    async def ask(request: Request) -> Response:
        """Ask, and read the answer as it is written: as text or, with `Accept: text/event-stream`,
        as events."""
        visitor = identify(
            request.client.host if request.client else None, request.headers, user_of(request.scope)
        )
        asker = Asker(visitor, person=visitor, key=request.headers.get("x-api-key", ""))
        drafts, options = await read_question(request)
        choice = chat.menu.check(options)
        if any(draft.uploads for draft in drafts):
            await chat.check(asker)
        messages = await chat.files.checked(drafts, visitor)
        reply = await chat.ask(messages, asker, once=_idempotency_key(request), choice=choice)
        return follow(request, reply, 0)

    @router.head(PATH + "/{reply_id}", include_in_schema=False)
    @router.get(PATH + "/{reply_id}", response_class=PlainTextResponse, responses=openapi.GET)
    async def resume(
        request: Request,
        reply_id: Annotated[str, openapi.REPLY_ID],
        after: Annotated[str, openapi.AFTER] = "0",
        last_event_id: Annotated[str, openapi.LAST_EVENT_ID] = "",
    ) -> Response:
        """Read a reply, running or ended, from a position on, which is the `id` of the last event
        read."""
        reply = await chat.resume(_checked(reply_id))
        position = _position(last_event_id or after, reply)
        if wants_events(request) and reply.ending and position == len(reply.log):
            # tells a browser's EventSource not to come back
            return Response(status_code=204, headers=HEADERS)
        return follow(request, reply, position)

    @router.delete(
        PATH + "/{reply_id}", status_code=204, response_class=Response, responses=openapi.DELETE
    )
    async def stop(reply_id: Annotated[str, openapi.REPLY_ID]) -> Response:
        """Stop a reply; what was written stays. To stop it again is no error."""
        await chat.stop(_checked(reply_id))
        return Response(status_code=204)

    @router.head("/api/health", include_in_schema=False)
    @router.get("/api/health", responses=openapi.HEALTH)
    async def health() -> Response:
        """The name of the source, and the number of replies that are being written."""
        return JSONResponse({"source": chat.source.name, "running": chat.running}, headers=NO_STORE)

    return router


def _idempotency_key(request: Request) -> str:
    """The key, with or without the quotation marks of a structured header; empty without one."""
    lines = request.headers.getlist("idempotency-key")
    if not lines:
        return ""
    if len(lines) > 1 or not (key := KEY.fullmatch(lines[0].strip())):
        raise Unfit(400, "bad_idempotency_key")
    return re.sub(r"\\(.)", r"\1", key["quoted"] or "") or key["bare"]


def _checked(reply_id: str) -> str:
    """The id. Raises `UnknownReply` without a look-up if it cannot be one."""
    if not ID.fullmatch(reply_id):
        raise UnknownReply
    return reply_id


def _position(given: str, reply: Reply) -> int:
    number, last = int(given) if re.fullmatch("[0-9]{1,9}", given) else -1, len(reply.log)
    if isinstance(reply.ending, Done) and reply.ending.reason == "shutdown" and number >= 0:
        return last if number == CUT_OFF else min(number, last - 1)
    if not 0 <= number <= last:
        raise Unfit(400, "bad_position", last=last)
    return number
