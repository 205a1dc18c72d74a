"""Saved conversations over HTTP, for the page: a list with a search, titles, deletion and undo."""

import json
import re
import sys
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from streamchat.attachments import Attachment
from streamchat.chat import KeptFiles, titles
from streamchat.errors import UnknownConversation
from streamchat.saved.export import Export, Exports, file_parts, markdown_parts, parts_of_one
from streamchat.saved.file import MAX_TITLE
from streamchat.saved.importing import imported
from streamchat.saved.rates import USUAL, Rates
from streamchat.saved.shelf import MOST, Saved
from streamchat.ui import Tabs
from streamchat.visitors import Identify, Limits
from streamchat.web.login import user_of
from streamchat.web.problem import NO_STORE, Route, Unfit
from streamchat.web.readers import reader_of

PATH = "/conversations"
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_QUERY = 200


class Gate:
    """Lets in readers with a cookie or a login, at a limited rate."""

    def __init__(self, tabs: Tabs, identify: Identify, rates: Rates = USUAL) -> None:
        self._tabs = tabs
        self._identify = identify
        self.rates = rates
        self._reads, self._changes = (
            Limits(rate=rate, visitor_replies=sys.maxsize, max_replies=sys.maxsize)
            for rate in (rates.reads, rates.changes)
        )

    def reader(self, request: Request) -> str:
        """The hash of the reader. Raises `TooOften`, and `UnknownConversation` for a request
        without a reader."""
        limits = self._reads if request.method in ("GET", "HEAD") else self._changes
        limits.admit(self.visitor(request)).leave()
        if not (name := reader_of(request.scope)):
            raise UnknownConversation
        return self._tabs.reader(name)

    def visitor(self, request: Request) -> str:
        client = request.client.host if request.client else None
        return self._identify(client, request.headers, user_of(request.scope))


def routes(saved: Saved, kept: KeptFiles, gate: Gate) -> APIRouter:
    """The routes under /conversations; each shows only its reader's own conversations."""
    router = APIRouter(prefix=PATH, route_class=Route, include_in_schema=False)

    @router.get("")
    async def items(request: Request) -> Response:
        """Empty without a cookie or a login."""
        try:
            reader = gate.reader(request)
        except UnknownConversation:
            return answer({"conversations": [], "more": False})
        query = request.query_params.get("q", "")
        if len(query) > MAX_QUERY:
            raise Unfit(400, "too_long", wording="search_too_long", most=MAX_QUERY)
        before = number(request, "before", sys.float_info.max)
        most = int(min(max(number(request, "limit", MOST), 1), MOST))
        last = request.query_params.get("last", "")
        found = await saved.items(reader, query=query, before=before, last=last[:64], most=most)
        return answer(found)

    @router.delete("")
    async def delete_all(request: Request) -> Response:
        return answer({"deleted": await saved.delete_all(gate.reader(request))})

    @router.post("/restore")
    async def restore_last(request: Request) -> Response:
        return answer({"restored": await saved.restore_last(gate.reader(request))})

    add_files(router, saved, kept, gate)

    @router.get("/{id_}")
    async def item(request: Request, id_: str) -> Response:
        return answer(await saved.item(gate.reader(request), checked(id_)))

    @router.patch("/{id_}")
    async def rename(request: Request, id_: str) -> Response:
        reader = gate.reader(request)
        return answer(await saved.rename(reader, checked(id_), title(await fields(request))))

    @router.delete("/{id_}", status_code=204)
    async def delete(request: Request, id_: str) -> Response:
        await saved.delete(gate.reader(request), checked(id_))
        return Response(status_code=204)

    @router.post("/{id_}/restore")
    async def restore(request: Request, id_: str) -> Response:
        return answer(await saved.restore(gate.reader(request), checked(id_)))

    _add_options(router, saved, gate)
    return router


def _add_options(router: APIRouter, saved: Saved, gate: Gate) -> None:
    @router.get("/{id_}/options")
    async def options(request: Request, id_: str) -> Response:
        return answer(await saved.options(gate.reader(request), checked(id_)))


def add_files(router: APIRouter, saved: Saved, kept: KeptFiles, gate: Gate) -> None:
    """Adds the routes for export and import."""

    exports = Exports()

    async def kept_file(id_: str, reader: str) -> Attachment | None:
        return (await kept.read([id_], reader)).get(id_)

    @router.get("/export")
    async def export_all(request: Request) -> Response:
        """All conversations as one file that can be imported again."""
        reader = gate.reader(request)
        ids = await saved.ids(reader)
        read = partial(kept_file, reader=reader)
        parts = partial(file_parts, partial(saved.export, reader, ids), read)
        return Export(parts, exports, gate.visitor(request), kind="json")

    @router.post("/import")
    async def import_file(request: Request) -> Response:
        """Adds a file's conversations to the reader's."""
        reader, visitor = gate.reader(request), gate.visitor(request)
        return answer(await imported(await request.body(), saved, kept, reader, visitor))

    @router.get("/{id_}/export")
    async def export(request: Request, id_: str) -> Response:
        kind = request.query_params.get("format", "json")
        if kind not in ("md", "json"):
            raise Unfit(400, "bad_format")
        reader = gate.reader(request)
        found, at = await saved.content(reader, checked(id_))
        read = partial(kept_file, reader=reader)
        whole = partial(parts_of_one, found, at, read)
        parts = partial(markdown_parts, found) if kind == "md" else whole
        return Export(parts, exports, gate.visitor(request), kind=kind)


def answer(value: Any) -> JSONResponse:
    return JSONResponse(value, headers=NO_STORE)


def checked(id_: str) -> str:
    """The id. Raises `UnknownConversation` without a look-up if it cannot be one."""
    if not ID.fullmatch(id_):
        raise UnknownConversation
    return id_


def number(request: Request, name: str, default: float) -> float:
    given = request.query_params.get(name, "")
    if given and not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", given):
        raise Unfit(400, "bad_number", name=name)
    return float(given) if given else default


async def fields(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Unfit(400, "not_json", wording="not_an_object")
    return body


def title(body: dict[str, Any]) -> str:
    """A title of one line. Raises `Unfit` for anything else."""
    given = body.get("title")
    if body.keys() != {"title"} or not isinstance(given, str) or len(given) > 10 * MAX_TITLE:
        raise Unfit(422, "bad_title", most=MAX_TITLE)
    words = titles.one_line(given)
    if not 1 <= len(words) <= MAX_TITLE:
        raise Unfit(422, "bad_title", most=MAX_TITLE)
    return words
