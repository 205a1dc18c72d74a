"""Exports that are sent in parts, each made when the one before it is on its way."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from itertools import chain

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from streamchat.attachments import Attachment
from streamchat.errors import Crowded, TooManyAtOnce, trace
from streamchat.saved import carried
from streamchat.saved.file import Fields, SavedConversation, fields, file_of, markdown
from streamchat.saved.rendering import joined
from streamchat.system.pieces import as_json, written
from streamchat.visitors import Admission, Limits
from streamchat.web.problem import NO_STORE, Unfit

logger = logging.getLogger(__name__)

# of one visitor, and of all
AT_ONCE = 2
TOTAL = 50
# seconds of one export, for a reader who reads it ever so slowly
LONGEST = 900.0
RETRY = {"Retry-After": "5"}

Parts = AsyncGenerator[bytes]
# a file by its id, if it is kept
Read = Callable[[str], Awaitable[Attachment | None]]


class Exports:
    """Counts the exports that run, and bounds them by visitor."""

    def __init__(self, *, longest: float = LONGEST) -> None:
        self.longest = longest
        self._limits = Limits(rate="off", visitor_replies=AT_ONCE, max_replies=TOTAL)

    def admit(self, visitor: str) -> Admission:
        """Takes a place. Raises `Unfit` if there is none."""
        try:
            return self._limits.admit(visitor)
        except TooManyAtOnce:
            raise Unfit(429, "too_much_at_once", RETRY) from None
        except Crowded:
            raise Unfit(503, "crowded", RETRY, wording="too_much_from_all") from None


class Export(StreamingResponse):
    """A file that is made while it is read. It takes one of its visitor's places, or is refused. A
    failure, and the end of the time, break the transfer off, which clients take for an error. For
    HTTP/1.0, where only a Content-Length shows a broken transfer, the parts are made twice."""

    def __init__(
        self, parts: Callable[[], Parts], exports: Exports, visitor: str, *, kind: str
    ) -> None:
        named = {"Content-Disposition": f'attachment; filename="conversation.{kind}"'}
        media_type = "text/markdown" if kind == "md" else "application/json"
        super().__init__((), headers=NO_STORE | named, media_type=media_type)
        self._parts = parts
        self._exports = exports
        self._visitor = visitor
        self._needs_length = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body"})
            return
        try:
            place = self._exports.admit(self._visitor)
        except Unfit as refusal:
            await refusal.response()(scope, receive, send)
            return
        self._needs_length = scope["http_version"] == "1.0"
        try:
            await super().__call__(scope, receive, send)
        finally:
            place.leave()

    async def stream_response(self, send: Send) -> None:
        try:
            async with asyncio.timeout(self._exports.longest):
                await self._send(send)
        except Exception as error:  # noqa: BLE001
            # the response has no end, so the server closes the connection
            logger.warning("An export broke off with %s", trace(error))

    async def _send(self, send: Send) -> None:
        if self._needs_length:
            async with aclosing(self._parts()) as parts:
                self.headers["Content-Length"] = str(sum([len(part) async for part in parts]))
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._parts()) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})


async def file_parts(conversations: Callable[[], AsyncIterator[Fields]], read: Read) -> Parts:
    """The JSON file of the conversations and then of their files, which are taken one at a
    time."""
    ids: dict[str, None] = {}
    start, end = as_json(file_of([]))[:-2], "]"
    async for each in conversations():
        ids |= dict.fromkeys(carried.ids(each))
        async for part in parts_of(chain([start], written(each))):
            yield part
        start = ","
    yield (end if start == "," else start + end).encode()
    async for part in _files(ids, read):
        yield part
    yield b"}"


async def _files(ids: Iterable[str], read: Read) -> Parts:
    """The files by their ids, without those that are not kept."""
    start, end = ',"files":{', ""
    for id_ in ids:
        if file := await read(id_):
            name = f"{start}{as_json(id_)}:"
            async for part in parts_of(chain([name], written(carried.entry(file)))):
                yield part
            start, end = ",", "}"
    yield end.encode()


def parts_of_one(saved: SavedConversation, at: float, read: Read) -> Parts:
    """The JSON file of one conversation."""

    async def conversations() -> AsyncIterator[Fields]:
        yield fields(saved, at)

    return file_parts(conversations, read)


def markdown_parts(saved: SavedConversation) -> Parts:
    return parts_of(markdown(saved.title, saved.messages))


async def parts_of(pieces: Iterator[str]) -> Parts:
    """The pieces as bytes, with turns for others."""
    while part := joined(pieces):
        yield part.encode(errors="replace")
        await asyncio.sleep(0)
