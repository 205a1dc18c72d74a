"""The page about the HTTP routes: it needs no other server, and describes only our own routes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, JSONResponse
from starlette.routing import BaseRoute

from streamchat.web.headers import CLOSED, written
from streamchat.web.problem import Route

PATH = "/docs"
FOLDER = Path(__file__).parent
POLICY = {
    **CLOSED,
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "connect-src": ["'self'"],
    "img-src": ["data:"],
}
HEADERS = {"Content-Security-Policy": written(POLICY), "Cache-Control": "no-cache"}


def routes(title: str, described: Sequence[BaseRoute]) -> APIRouter:
    """The page, its files, and the OpenAPI document of the `described` routes."""
    router = APIRouter(route_class=Route, include_in_schema=False)
    document = partial(get_openapi, title=title, version="1", routes=described)

    @router.get("/openapi.json")
    async def openapi() -> Response:
        return JSONResponse(document())

    @router.get(PATH)
    async def page() -> Response:
        return FileResponse(FOLDER / "page.html", headers=HEADERS)

    @router.get(PATH + "/page.css")
    async def style() -> Response:
        return FileResponse(FOLDER / "page.css", headers=HEADERS)

    @router.get(PATH + "/page.js")
    async def script() -> Response:
        return FileResponse(FOLDER / "page.js", headers=HEADERS)

    return router
