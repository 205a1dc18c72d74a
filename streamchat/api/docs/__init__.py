"""The page about the HTTP routes: it needs no other server, and describes only our own routes."""

from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, JSONResponse
from starlette.routing import BaseRoute

from streamchat.texts import page_words
from streamchat.web.problem import Route
from streamchat.web.shell import Parts, Shell

PATH = "/docs"
FOLDER = Path(__file__).parent
HEADERS = {"Cache-Control": "no-cache"}
WORDS = page_words("docs")
CONTENT = f"""<main class="page">
<h1>{escape(WORDS["name"])}</h1>
<p class="note">{escape(WORDS["about"])} <a href="openapi.json">openapi.json</a></p>
</main>"""
LINKS = f'<a href="./">{escape(WORDS["to_chat"])}</a>'


def routes(title: str, described: Sequence[BaseRoute], shell: Shell) -> APIRouter:
    """The page, its files, and the OpenAPI document of the `described` routes."""
    router = APIRouter(route_class=Route, include_in_schema=False)
    document = partial(get_openapi, title=title, version="1", routes=described)

    @router.get("/openapi.json")
    async def openapi() -> Response:
        return JSONResponse(document())

    @router.get(PATH)
    async def page() -> Response:
        files = ["docs/page.css", "docs/page.js"]
        return shell.page(WORDS["name"], CONTENT, Parts(links=LINKS, files=files, words=WORDS))

    @router.get(PATH + "/page.css")
    async def style() -> Response:
        return FileResponse(FOLDER / "page.css", headers=HEADERS)

    @router.get(PATH + "/page.js")
    async def script() -> Response:
        return FileResponse(FOLDER / "page.js", headers=HEADERS)

    return router
