"""Takes a reader's file, shows it to the same reader, and tells which turns have files."""

import base64
import re
import sys
from asyncio import to_thread
from itertools import count
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from streamchat.attachments import Attachment, Upload, shown
from streamchat.chat import KeptFiles, restored
from streamchat.errors import UnknownConversation, UnknownFile
from streamchat.ui import DIGEST, Tabs, files_of
from streamchat.visitors import Identify, Limits
from streamchat.web.login import user_of
from streamchat.web.problem import NO_STORE, Route, Unfit
from streamchat.web.readers import reader_of

PATH = "/files"
OF_CONVERSATION = "/conversations/{id_}/files"
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# of one visitor
UPLOADS = "60/minute;600/hour"
READS = "600/minute"
# bytes; of three, base64 makes four
STEP = 3 * 20_000
OCTETS = "application/octet-stream"
# a document is downloaded, so that it cannot act as a page of this site
ALONE = {"Content-Security-Policy": "default-src 'none'; sandbox"}


def routes(kept: KeptFiles, tabs: Tabs, identify: Identify) -> APIRouter:
    """A reader's files alone; another reader's are as unknown as ones that do not exist."""
    router = APIRouter(route_class=Route, include_in_schema=False)
    uploads, reads = (
        Limits(rate=rate, visitor_replies=sys.maxsize, max_replies=sys.maxsize)
        for rate in (UPLOADS, READS)
    )

    def admitted(request: Request, limits: Limits) -> tuple[str, str]:
        """The visitor and the reader, which may be empty."""
        client = request.client.host if request.client else None
        visitor = identify(client, request.headers, user_of(request.scope))
        limits.admit(visitor).leave()
        name = reader_of(request.scope)
        return visitor, tabs.reader(name) if name else ""

    @router.post(PATH, status_code=201)
    async def add(request: Request) -> Response:
        """The body is the file; its name is a parameter."""
        visitor, reader = admitted(request, uploads)
        if request.headers.get("content-type", "").lower() != OCTETS:
            raise Unfit(415, "not_octets")
        if not reader:
            raise Unfit(403, "no_reader")
        name = shown(request.query_params.get("name", ""), "File")
        kept.check_taken(name)
        data = await to_thread(_base64, await request.body())
        file = await kept.check(Upload(name, data), visitor)
        if await request.is_disconnected():
            return Response(status_code=400)  # nobody reads it
        await kept.put(file, reader, visitor)
        return JSONResponse(described(file), 201, NO_STORE)

    @router.get(PATH + "/{digest}")
    async def read(request: Request, digest: str) -> Response:
        _, reader = admitted(request, reads)
        found = await kept.read([digest], reader) if DIGEST.fullmatch(digest) else {}
        if digest not in found:
            raise UnknownFile
        return await to_thread(_answer, found[digest])

    @router.get(OF_CONVERSATION)
    async def of_conversation(request: Request, id_: str) -> Response:
        """The files of each of its questions, by the number of the turn."""
        visitor, reader = admitted(request, reads)
        tab = await tabs.find(id_, reader, visitor) if ID.fullmatch(id_) else None
        if tab is None:
            raise UnknownConversation
        asked = [message for message in tab.messages() if message["role"] == "user"]
        # the page also shows refused questions, which are not kept
        numbers = (number for number in count() if number not in tab.missing)
        turns = {
            str(turn): files_of(message) for turn, message in zip(numbers, asked, strict=False)
        }
        named = {
            turn: [described(restored(file)) for file in files]
            for turn, files in turns.items()
            if files
        }
        return JSONResponse({"turns": named}, headers=NO_STORE)

    return router


def described(file: Attachment) -> dict[str, Any]:
    """The fields of a file for a page."""
    return {
        "id": file.digest,
        "name": file.name,
        "kind": file.kind,
        "size": file.size,
        "width": file.width,
        "height": file.height,
        "pages": file.pages,
    }


def _base64(data: bytes) -> str:
    """The data in base64, encoded in short steps, between which other threads get turns."""
    parts = (data[at : at + STEP] for at in range(0, len(data), STEP))
    return "".join(base64.b64encode(part).decode() for part in parts)


def _answer(file: Attachment) -> Response:
    """A picture to look at; anything else to save."""
    if file.is_picture:
        return Response(base64.b64decode(file.data), media_type=file.media_type, headers=NO_STORE)
    is_text = file.media_type == "text/plain"
    data = file.data.encode(errors="replace") if is_text else base64.b64decode(file.data)
    headers = {"Content-Disposition": "attachment", **ALONE, **NO_STORE}
    return Response(data, media_type=OCTETS if is_text else file.media_type, headers=headers)
