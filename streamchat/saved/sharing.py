"""Links to shared conversations: their owners make and withdraw them, and anybody with a link can
read."""

import sys
from asyncio import to_thread
from base64 import b64decode
from math import ceil
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from streamchat.errors import TooOften, UnknownFile
from streamchat.saved.export import parts_of
from streamchat.saved.page import Page
from streamchat.saved.routes import ID, PATH, Gate, answer, checked
from streamchat.saved.shelf import Saved
from streamchat.settings import Settings
from streamchat.texts import failure, text
from streamchat.ui import DIGEST
from streamchat.visitors import Limits
from streamchat.web.paths import SHARED
from streamchat.web.problem import Route
from streamchat.web.shell import Shell

OF_PICTURES = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}

Sharing = Literal["on", "public", "off"]


def routes(saved: Saved, gate: Gate, shell: Shell, sharing: Sharing) -> APIRouter:
    """The routes of links. If sharing is off, no link is made, and none shows anything."""
    router = APIRouter(route_class=Route, include_in_schema=False)
    rate = gate.rates.shared_reads
    limits = Limits(rate=rate, visitor_replies=sys.maxsize, max_replies=sys.maxsize)
    page = Page(shell)

    @router.get(SHARED + "{token}")
    async def shared(request: Request, token: str) -> Response:
        """Without a cookie. All tokens without a snapshot get the same page."""
        visitor = gate.visitor(request)
        try:
            limits.admit(visitor).leave()
        except TooOften as error:
            return refusal(page, error)
        known = sharing != "off" and ID.fullmatch(token)
        snapshot = await saved.shared(token, visitor) if known else None
        if snapshot is None:
            title, sentence = text("nothing_shared_title"), text("nothing_shared")
            return HTMLResponse(page.saying(title, sentence), 404, page.headers)
        if request.method == "HEAD":
            return HTMLResponse(headers=page.headers)
        saved.links.open(token)
        parts = parts_of(page.showing(snapshot, token))
        return StreamingResponse(parts, headers=page.headers, media_type="text/html")

    if sharing != "off":
        _add_pictures(router, saved, gate)
        _add_owners(router, saved, gate)
    return router


def _add_pictures(router: APIRouter, saved: Saved, gate: Gate) -> None:
    """Adds the route of the pictures that shared pages show, and no other files."""

    rate = gate.rates.shared_pictures
    limits = Limits(rate=rate, visitor_replies=sys.maxsize, max_replies=sys.maxsize)

    @router.get(SHARED + "{token}/{digest}")
    async def picture(request: Request, token: str, digest: str) -> Response:
        limits.admit(gate.visitor(request)).leave()
        is_known = ID.fullmatch(token) and DIGEST.fullmatch(digest)
        found = await saved.shared_picture(token, digest) if is_known else None
        if not (found and found.is_picture):
            raise UnknownFile
        data = await to_thread(b64decode, found.data)
        return Response(data, media_type=found.media_type, headers=OF_PICTURES)


def _add_owners(router: APIRouter, saved: Saved, gate: Gate) -> None:
    """Adds the routes for the reader who owns the conversation."""

    rate = gate.rates.shares
    limits = Limits(rate=rate, visitor_replies=sys.maxsize, max_replies=sys.maxsize)

    @router.post(PATH + "/{id_}/share")
    async def share(request: Request, id_: str) -> Response:
        """Makes the link, or updates its snapshot."""
        reader, visitor = gate.reader(request), gate.visitor(request)
        limits.admit(visitor).leave()
        return answer(await saved.share(reader, checked(id_), visitor))

    @router.delete(PATH + "/{id_}/share", status_code=204)
    async def unshare(request: Request, id_: str) -> Response:
        await saved.unshare(gate.reader(request), checked(id_))
        return Response(status_code=204)


def open_paths(sharing: Sharing) -> list[str]:
    """The paths that ask for no login."""
    return [SHARED.rstrip("/")] if sharing == "public" else []


def facts(settings: Settings) -> dict[str, bool]:
    """Facts for the page's scripts: whether conversations are saved, and who can read shared
    ones."""
    keeps, sharing = bool(settings.data_folder), settings.sharing
    asks = settings.login is not None and sharing != "public"
    return {"keeps": keeps, "shares": keeps and sharing != "off", "sharesWithUsers": asks}


def refusal(page: Page, error: TooOften) -> Response:
    headers = {**page.headers, "Retry-After": str(ceil(error.retry_after or 1))}
    sentence = failure(text("pages_too_often"), error.retry_after)
    return HTMLResponse(page.saying(text("nothing_shared_title"), sentence), 429, headers)
