"""GET /api/options: the choices that a visitor has, for the page and for programs."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from streamchat.api import openapi
from streamchat.attachments import Bounds
from streamchat.chat import Chat, Offer
from streamchat.texts import good_for, price
from streamchat.visitors import Identify
from streamchat.web.login import user_of
from streamchat.web.problem import NO_STORE, Route

PATH = "/api/options"


def routes(chat: Chat, identify: Identify) -> APIRouter:
    """The route under /api, for any app to have."""
    router = APIRouter(route_class=Route, tags=["StreamChat"])

    @router.head(PATH, include_in_schema=False)
    @router.get(PATH, responses=openapi.ALLOWED)
    async def options(request: Request) -> Response:
        """The models, efforts and length of instructions that you may choose, and the defaults."""
        visitor = identify(
            request.client.host if request.client else None, request.headers, user_of(request.scope)
        )
        menu = chat.menu
        allowed = {
            "models": [_model(offer) for offer in chat.offers(visitor)],
            "model": menu.model,
            "efforts": menu.efforts,
            "effort": menu.effort,
            "thinking": menu.thinking,
            "instructions": menu.instructions,
            "search": menu.search,
            "files": _files(chat.files.bounds),
            "own_key": chat.takes_keys,
            "demo": chat.budget is None,
        }
        return JSONResponse(allowed, headers=NO_STORE)

    return router


def _files(bounds: Bounds) -> dict[str, int] | None:
    """How many files of how many bytes are taken; None for none at all."""
    if not bounds.per_message:
        return None
    return {
        "per_message": bounds.per_message,
        "per_conversation": bounds.per_conversation,
        "bytes_each": bounds.file,
        "bytes_in_all": bounds.conversation,
        "pixels": bounds.pixels,
        "pages": bounds.pages,
    }


def _model(offer: Offer) -> dict[str, Any]:
    return {
        "id": offer.model.id,
        "name": offer.model.name,
        "good_for": good_for(offer.model.line),
        "price": price(offer.dollars) if offer.dollars is not None else "",
        "beyond": offer.beyond,
        "gone": offer.model.gone,
    }
