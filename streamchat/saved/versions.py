"""The versions of a conversation over HTTP, for the page: lists them and shows another one."""

from asyncio import sleep
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streamchat.errors import UnknownConversation
from streamchat.saved.routes import PATH, Gate, answer, checked
from streamchat.ui import Tab, Tabs, choices
from streamchat.visitors import Flow
from streamchat.web.problem import Route, Unfit


class Wanted(BaseModel):
    """A request to show the turn with that number, and what followed it when it was shown last."""

    model_config = ConfigDict(strict=True, extra="forbid")

    version: Annotated[int, Field(ge=0, lt=10**9)]


def routes(tabs: Tabs, gate: Gate) -> APIRouter:
    """Two routes below the address of a conversation, for its reader alone."""
    router = APIRouter(prefix=PATH, route_class=Route, include_in_schema=False)
    flow = Flow(gate.rates.switched, gate.rates.switched_again)

    async def found(request: Request, id_: str, reader: str) -> Tab:
        if not (tab := await tabs.find(checked(id_), reader, gate.visitor(request))):
            raise UnknownConversation
        return tab

    @router.get("/{id_}/versions")
    async def versions(request: Request, id_: str) -> Response:
        return answer(choices(await found(request, id_, gate.reader(request))))

    @router.put("/{id_}/versions")
    async def show(request: Request, id_: str) -> Response:
        """Shows another version, and keeps the present one. Refused while an answer is written."""
        reader, number = gate.reader(request), version(await request.body())
        tab = await found(request, id_, reader)
        await sleep(flow.take(gate.visitor(request), tab.weight))
        tab = await found(request, id_, reader)
        if tab.running:
            raise Unfit(409, "answer_running")
        if not tab.show(number):
            raise Unfit(404, "unknown_version")
        tabs.save(id_, tab, gate.visitor(request))
        return answer(choices(tab))

    return router


def version(body: bytes) -> int:
    try:
        return Wanted.model_validate_json(body).version
    except ValidationError:
        raise Unfit(422, "bad_version") from None
