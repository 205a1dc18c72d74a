"""The owner's page: spending, running replies with a stop for each, settings, and a pause for
all."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import StringConstraints, TypeAdapter, ValidationError

from streamchat.chat import Adjustments, Chat, Votes
from streamchat.errors import UnknownReply
from streamchat.owner.figures import figures
from streamchat.settings import SettingsError
from streamchat.visitors import Identify
from streamchat.web.cookies import DAY, Cookie, Signed
from streamchat.web.hosts import from_another_site
from streamchat.web.login import basic, challenge
from streamchat.web.passwords import Guesses, Password
from streamchat.web.problem import Route, Unfit

PATH = "/owner"
PAGE = Path(__file__).with_name("page.html")
BROWSER = Cookie("streamchat_owner", 30 * DAY, PATH, "Strict")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


# of a value, in characters
LONGEST = 500
CHANGES = TypeAdapter(dict[str, Annotated[str, StringConstraints(max_length=LONGEST)] | None])


def routes(
    chat: Chat, adjustments: Adjustments, votes: Votes, identify: Identify, password: str
) -> APIRouter:
    """The routes under /owner. All of them ask for the password."""
    asked = [Depends(OwnerLogin(password, identify))]
    router = APIRouter(
        prefix=PATH, route_class=Guarded, dependencies=asked, include_in_schema=False
    )

    @router.get("")
    async def page() -> Response:
        return FileResponse(PAGE)

    @router.get("/page.{kind}")
    async def part(kind: str) -> Response:
        if kind not in ("css", "js"):
            raise Unfit(404, "unknown_page")
        return FileResponse(PAGE.with_suffix(f".{kind}"))

    @router.get("/state")
    async def state() -> Response:
        return JSONResponse(await figures(chat, adjustments, votes))

    @router.put("/pause", status_code=204)
    async def pause() -> Response:
        """Refuses all questions from now on; running replies go on."""
        if chat.budget is None:
            raise Unfit(409, "nothing_to_pause")
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

    add_settings(router, adjustments)
    return router


def add_settings(router: APIRouter, adjustments: Adjustments) -> None:
    @router.put("/settings", status_code=204)
    async def change(request: Request) -> Response:
        """Takes a JSON object of settings by name: a text, or null for the value of the start."""
        await take(adjustments, await request.body())
        return Response(status_code=204)


async def take(adjustments: Adjustments, body: bytes) -> None:
    try:
        await adjustments.change(CHANGES.validate_json(body))
    except ValidationError:
        raise Unfit(400, "bad_settings") from None
    except SettingsError as error:
        raise Unfit(400, "bad_settings", wording="as_written", text=str(error)) from None


class Guarded(Route):
    """A route whose responses may not be cached, framed or sniffed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            response = await handle(request)
            response.headers.update(HEADERS)
            if cookie := getattr(request.state, "cookie", None):
                response.headers["Set-Cookie"] = cookie
            return response

        return handled


class OwnerLogin:
    """Lets in whoever knows the password, with any user name.

    A browser that has given it gets a cookie, and then only its own wrong passwords count against
    it. Guesses that another site's page makes through the owner's browser are counted apart.
    """

    def __init__(self, password: str, identify: Identify) -> None:
        self._password = Password(password, Guesses())
        self._browsers = Signed()
        self._identify = identify

    async def __call__(self, request: Request) -> None:
        given = basic(request.headers)
        browser = next(filter(None, map(self._browsers.name, BROWSER.values(request.scope))), None)
        if given is None or not self._is_right(given, browser, request):
            raise Unfit(
                401,
                "login_required",
                challenge("StreamChat's owner"),
                wording="owner_login_required",
            )
        if browser is None:
            request.state.cookie = BROWSER.written(request.scope, self._browsers.new())

    def _is_right(self, given: str, browser: str | None, request: Request) -> bool:
        address = self._identify(
            request.client.host if request.client else None, request.headers, None
        )
        visitor = f"browser {browser}" if browser else address
        if from_another_site(request.headers.get("sec-fetch-site")):
            visitor += " by another site's page"
        return self._password.check(given.partition(":")[2], visitor, known=browser is not None)
