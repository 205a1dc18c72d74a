"""A reply as a response's body: as text or as events. A partial answer never looks like a whole
one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from itertools import count

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Send

from streamchat.api import sse
from streamchat.errors import Abandoned, ChatError, NotWhole, ShutDown
from streamchat.events import CUT, WHOLE, Done, Event, Failed, Text
from streamchat.replies import Pace, Reply
from streamchat.web.accept import preference
from streamchat.web.problem import problem

KEEPALIVE_SECONDS = 10.0
# events that are rendered before others have their turn; more would hold up the event loop
AT_ONCE = 1_000
EVENTS, TEXT = "text/event-stream", "text/plain"
HEADERS = {
    "Cache-Control": "no-cache, no-store, no-transform",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",
}


class Broken(Exception):
    """Takes the place of the rest of a stream that failed or was cut off."""

    def __init__(self, error: Failed | ChatError) -> None:
        super().__init__(error.code)
        self.error = error


class Stream(StreamingResponse):
    """A response that sends its headers with the first chunk.

    If the first item is `Broken`, the response is an error with a status. A later one breaks the
    transfer off, which every client takes for an error. With `only_head` only the headers are sent.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        *,
        location: str,
        media_type: str,
        only_head: bool = False,
    ) -> None:
        super().__init__(chunks, headers=HEADERS | {"Location": location}, media_type=media_type)
        self._chunks = chunks
        self._only_head = only_head

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._chunks) as chunks:
            try:
                first = await anext(chunks, b"")
            except Broken as broken:
                await _send(problem(broken.error), send)
                return
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if self._only_head:
                await send({"type": "http.response.body"})
                return
            await send({"type": "http.response.body", "body": first, "more_body": True})
            with suppress(Broken):
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body"})


def following(  # noqa: PLR0913 (a reply, and how it is read)
    request: Request,
    reply: Reply,
    after: int,
    pace: Pace,
    *,
    location: str,
    keepalive: float = KEEPALIVE_SECONDS,
) -> Response:
    """The reply from the position `after` on, in the form that the request prefers. In silence an
    event stream gets a comment each `keepalive` seconds."""
    media_type = EVENTS if wants_events(request) else TEXT
    only_head = request.method == "HEAD"
    # a word that is not sent need not be waited for
    if only_head and not reply.ending:
        return Response(headers=HEADERS | {"Location": location}, media_type=media_type)
    if media_type == EVENTS:
        chunks = _events(reply, after, pace, keepalive)
    else:
        chunks = _text(reply, after, pace)
    if media_type == TEXT and request.scope["http_version"] == "1.0":
        # a transfer that breaks off would look like one that ends
        chunks = _whole(chunks)
    return Stream(chunks, location=location, media_type=media_type, only_head=only_head)


def wants_events(request: Request) -> bool:
    """Whether the client prefers events to text. At equal quality, events must be named."""
    lines = request.headers.getlist("accept")
    events, text = preference(lines, EVENTS), preference(lines, TEXT)
    if events.quality == text.quality:
        return events.named and events.quality > 0
    return events.quality > text.quality


async def _events(reply: Reply, after: int, pace: Pace, keepalive: float) -> AsyncGenerator[bytes]:
    yield sse.START
    async with aclosing(_pieces(reply, after, pace, keepalive)) as news:
        async for position, events in news:
            for begin in range(0, len(events) or 1, AT_ONCE):
                some = events[begin : begin + AT_ONCE]
                yield (
                    b"".join(map(sse.rendered, count(position - len(events) + begin + 1), some))
                    or sse.KEEPALIVE_COMMENT
                )
                if len(some) == AT_ONCE:
                    await asyncio.sleep(0)


async def _text(reply: Reply, after: int, pace: Pace) -> AsyncGenerator[bytes]:
    async with aclosing(_pieces(reply, after, pace)) as news:
        async for _, events in news:
            if text := "".join([event.text for event in events if isinstance(event, Text)]):
                yield text.encode(errors="replace")
    match reply.ending:
        case Failed():
            raise Broken(reply.ending)
        case Done("shutdown"):
            raise Broken(ShutDown())
        case Done("abandoned"):
            raise Broken(Abandoned())
        case Done(reason) if reason not in WHOLE | CUT:
            raise Broken(NotWhole())


async def _pieces(
    reply: Reply, after: int, pace: Pace, heartbeat: float | None = None
) -> AsyncGenerator[tuple[int, list[Event]]]:
    """Yields as `follow` does, at the pace of a client over HTTP; the first word at once."""
    with pace.reader():
        async with aclosing(reply.follow(after, heartbeat=heartbeat)) as news:
            async for position, events in news:
                yield position, events
                if Text in reply.first_at and (pause := pace.piece()):
                    await pace.rest(reply, pause)


async def _whole(chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(chunks):
        yield b"".join([chunk async for chunk in chunks])


async def _send(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "http.response.body", "body": response.body})
