"""The preview that other programs show for a link to the chat: a title, a sentence and a
picture."""

from collections.abc import Callable

from fastapi import APIRouter, Response

from streamchat.look import Look
from streamchat.web import drawing, icons
from streamchat.web.page_head import Preview
from streamchat.web.problem import Route

PATH = "/preview.png"


def preview(look: Look) -> Preview:
    return Preview(look.title, look.tagline, f"{PATH}?v={icons.version(look)}")


def routes(look: Callable[[], Look]) -> APIRouter:
    router = APIRouter(route_class=Route, include_in_schema=False)

    @router.get(PATH)
    def picture() -> Response:
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response(drawing.card(look()), headers=headers, media_type="image/png")

    return router
