"""The preview that other programs show for a link to the chat: a title, a sentence and a
picture."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from streamchat.look import Look
from streamchat.web.opening import Preview
from streamchat.web.problem import Route

PATH = "/preview.png"
PICTURE = Path(__file__).with_name("preview.png")


def preview(look: Look) -> Preview:
    return Preview(look.title, look.tagline, PATH)


def routes() -> APIRouter:
    router = APIRouter(route_class=Route, include_in_schema=False)

    @router.head(PATH)
    @router.get(PATH)
    async def picture() -> Response:
        return FileResponse(PICTURE, headers={"Cache-Control": "public, max-age=86400"})

    return router
