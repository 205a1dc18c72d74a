"""A reply as the body of a response: as text or as events, and never a part of an answer in place of the whole."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Send

from streamchat import sse
from streamchat.events import CUT, WHOLE, Done, Event, Failed, Text
from streamchat.pace import PACE
from streamchat.reply import Reply
from streamchat.web.problem import problem

HEARTBEAT = 10.0  # seconds
HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",
}


class Broken(Exception):
    """In place of the rest of a stream: the reply failed, or was cut off."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.code)
        self.failed = failed


class Stream(StreamingResponse):
    """Sends its headers with the first chunk. `Broken` instead of it becomes an error with a status; a later one
    breaks the transfer off before its end, which every client takes for an error.
    """

    def __init__(self, chunks: AsyncGenerator[bytes], *, location: str, media_type: str) -> None:
        super().__init__(chunks, headers=HEADERS | {"Location": location}, media_type=media_type)
        self._chunks = chunks

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._chunks) as chunks:
            try:
                first = await anext(chunks, b"")
            except Broken as broken:
                await _send(problem(broken.failed), send)
                return
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": first, "more_body": True})
            with suppress(Broken):
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body"})


def following(request: Request, reply: Reply, after: int, *, location: str) -> Stream:
    """The reply from the position `after` on, in the form that the request accepts."""
    if wants_events(request):
        return Stream(_events(reply, after), location=location, media_type="text/event-stream")
    text = _text(reply, after)
    if request.scope["http_version"] == "1.0":  # in which a transfer that breaks off looks like one that ends
        text = _whole(text)
    return Stream(text, location=location, media_type="text/plain")


def wants_events(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


async def _events(reply: Reply, after: int) -> AsyncGenerator[bytes]:
    yield sse.START
    async with aclosing(_pieces(reply, after, HEARTBEAT)) as news:
        async for position, events in news:
            first = position - len(events) + 1
            yield b"".join(map(sse.rendered, range(first, position + 1), events)) or sse.HEARTBEAT


async def _text(reply: Reply, after: int) -> AsyncGenerator[bytes]:
    async with aclosing(_pieces(reply, after)) as news:
        async for _, events in news:
            if text := "".join([event.text for event in events if isinstance(event, Text)]):
                yield text.encode(errors="replace")
    match reply.ending:
        case Failed():
            raise Broken(reply.ending)
        case Done("shutdown" | "abandoned" as reason):
            raise Broken(Failed(reason, 503, "This answer was cut off before its end."))
        case Done(reason) if reason not in WHOLE | CUT:
            raise Broken(Failed("not_whole", 502, "This answer may not be whole."))


async def _pieces(reply: Reply, after: int, heartbeat: float | None = None) -> AsyncGenerator[tuple[int, list[Event]]]:
    """What `follow` yields, as often as `PACE` has it; the first word at once."""
    with PACE.reader():
        async with aclosing(reply.follow(after, heartbeat=heartbeat)) as news:
            async for position, events in news:
                yield position, events
                if Text in reply.first_at and (pause := PACE.piece()):
                    await PACE.rest(reply, pause)


async def _whole(chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(chunks):
        yield b"".join([chunk async for chunk in chunks])


async def _send(response: Response, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body})
