"""The owner's page: what is spent and running, how it goes, a stop for each reply and a pause for all."""

import secrets
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from streamchat.chat import Chat
from streamchat.errors import TooOften, UnknownReply
from streamchat.figures import figures
from streamchat.limits import Limits
from streamchat.visitor import Who
from streamchat.web.guard import credentials, login_required
from streamchat.web.hosts import from_another_site
from streamchat.web.problem import Route, unfit

PATH = "/owner"
PAGE = Path(__file__).with_name("owner.html")
WRONG_PASSWORDS = "10/minute"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


def routes(chat: Chat, who: Who, password: str) -> APIRouter:
    """The routes under /owner, for any app to have; all of them ask for the password."""
    asked = [Depends(Password(password, who))]
    router = APIRouter(prefix=PATH, route_class=Guarded, dependencies=asked, include_in_schema=False)

    @router.get("")
    async def page() -> Response:
        return FileResponse(PAGE)

    @router.get("/page.{kind}")
    async def part(kind: str) -> Response:
        if kind not in ("css", "js"):
            raise unfit(404, "unknown_page", "There is no such page.")
        return FileResponse(PAGE.with_suffix(f".{kind}"))

    @router.get("/state")
    async def state() -> Response:
        return JSONResponse(await figures(chat))

    @router.put("/pause", status_code=204)
    async def pause() -> Response:
        """Programs are refused from now on, and the page's readers get the demo; replies that run go on."""
        if chat.budget is None:
            raise unfit(409, "nothing_to_pause", "Without a key the demo answers, and there is nothing to pause.")
        await chat.pause.turn(on=True)
        return Response(status_code=204)

    @router.delete("/pause", status_code=204)
    async def go_on() -> Response:
        await chat.pause.turn(on=False)
        return Response(status_code=204)

    @router.delete("/replies/{name}", status_code=204)
    async def stop(name: str) -> Response:
        if name not in chat.journal.running:
            raise UnknownReply
        chat.journal.running[name].reply.stop()
        return Response(status_code=204)

    return router


class Guarded(Route):
    """Whatever the answer is, nobody keeps it, frames it or makes something else of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            response = await handle(request)
            response.headers.update(HEADERS)
            return response

        return handled


class Password:
    """Lets in who knows it, under any user's name; who has tried too many wrong ones has to wait.

    What another site's page tries in the owner's browser does not count against the owner.
    """

    def __init__(self, password: str, who: Who) -> None:
        self._password = password.encode()
        self._who = who
        self._wrong = Limits(rate=WRONG_PASSWORDS, visitor_replies=1, max_replies=1)

    async def __call__(self, request: Request) -> None:
        visitor = self._who(request.client.host if request.client else None, request.headers, None)
        if from_another_site(request.headers.get("sec-fetch-site")):
            visitor += " by another site's page"
        if wait := self._wrong.throttled().get(visitor):
            raise TooOften("Too many wrong passwords came from here.", retry_after=wait)
        given = credentials(request)
        if given is not None and secrets.compare_digest(given.partition(b":")[2], self._password):
            return
        if given is not None:
            self._wrong.admit(visitor).leave()
        raise login_required("StreamChat's owner", "This page asks for the owner's password, and for any user.")
