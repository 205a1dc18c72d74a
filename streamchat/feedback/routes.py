"""Takes a reader's thumb for an answer on their own page, and for no other."""

import re
import sys
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from streamchat.chat import Votes
from streamchat.errors import UnknownReply
from streamchat.ui import Tabs, name_of_answer
from streamchat.visitors import Identify, Limits
from streamchat.web.login import user_of
from streamchat.web.problem import NO_STORE, Route, Unfit
from streamchat.web.readers import reader_of

PATH = "/feedback"
MOST_WORDS = 1_000
# of one visitor
RATE = "60/minute;1000/day"
UP = {"up": True, "down": False, "none": None}
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Thumb(BaseModel):
    """A thumb for the answer to the page's turn with that number; `none` takes it back."""

    model_config = ConfigDict(strict=True, extra="forbid")

    conversation: Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9_-]{1,64}\z")]
    turn: Annotated[int, Field(ge=0, le=10_000)]
    thumb: Literal["up", "down", "none"]
    words: Annotated[str, StringConstraints(max_length=MOST_WORDS)] = ""


def routes(votes: Votes, tabs: Tabs, identify: Identify) -> APIRouter:
    """The routes under /feedback. An answer of another reader is as unknown as one that does not
    exist."""
    router = APIRouter(prefix=PATH, route_class=Route, include_in_schema=False)
    limits = Limits(rate=RATE, visitor_replies=sys.maxsize, max_replies=sys.maxsize)

    def visitor(request: Request) -> str:
        client = request.client.host if request.client else None
        return identify(client, request.headers, user_of(request.scope))

    @router.get("")
    async def asked_for() -> Response:
        """Whether readers may add words."""
        return JSONResponse({"words": votes.takes_words}, headers=NO_STORE)

    @router.put("", status_code=204)
    async def put(request: Request) -> Response:
        limits.admit(visitor(request)).leave()
        thumb = checked(await request.body(), takes_words=votes.takes_words)
        reader = tabs.reader(reader_of(request.scope))
        tab = await tabs.find(thumb.conversation, reader, visitor(request))
        if not (tab and (answer := name_of_answer(tab, thumb.turn))):
            raise UnknownReply
        if not await votes.put(answer, UP[thumb.thumb], words_of(thumb)):
            raise Unfit(503, "not_kept")
        return Response(status_code=204)

    return router


def checked(body: bytes, *, takes_words: bool) -> Thumb:
    try:
        thumb = Thumb.model_validate_json(body)
    except ValidationError:
        raise Unfit(400, "bad_feedback", most=MOST_WORDS) from None
    if thumb.words and not takes_words:
        raise Unfit(403, "no_words_taken")
    return thumb


def words_of(thumb: Thumb) -> str:
    return CONTROLS.sub(" ", thumb.words.encode(errors="replace").decode()).strip()
