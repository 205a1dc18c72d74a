"""The owner's page: spending, running replies with a stop for each, settings, and a pause for
all."""

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import StringConstraints, TypeAdapter, ValidationError

from streamchat.chat import Adjustments, Chat, Links, Votes
from streamchat.errors import UnknownReply
from streamchat.owner.figures import figures
from streamchat.settings import SettingsError
from streamchat.texts import page_words
from streamchat.visitors import Identify
from streamchat.web.cookies import DAY, Cookie, Signed
from streamchat.web.hosts import from_another_site
from streamchat.web.login import basic, challenge
from streamchat.web.passwords import Guesses, Password
from streamchat.web.problem import Route, Unfit
from streamchat.web.shell import Parts, Shell, filled

PATH = "/owner"
WORDS = page_words("owner")
PAGE = filled(Template(Path(__file__).with_name("page.html").read_text("utf-8")), WORDS)
STATIC = Path(__file__).with_name("static")
PARTS = {path.name: path for path in STATIC.iterdir() if path.suffix in (".css", ".js")}
BROWSER = Cookie("streamchat_owner", 30 * DAY, PATH, "Strict")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


# of a value, in characters
LONGEST = 500
CHANGES = TypeAdapter(dict[str, Annotated[str, StringConstraints(max_length=LONGEST)] | None])


def routes(  # noqa: PLR0913 (each is shown in a place of its own)
    chat: Chat,
    adjustments: Adjustments,
    votes: Votes,
    login: "OwnerLogin",
    shell: Shell,
    *,
    links: Links,
) -> APIRouter:
    """The routes under /owner. All of them ask for the password."""
    router = APIRouter(
        prefix=PATH, route_class=Guarded, dependencies=[Depends(login)], include_in_schema=False
    )

    @router.get("")
    async def page() -> Response:
        to_others = f'<a href="docs">{WORDS["to_docs"]}</a><a href="./">{WORDS["to_chat"]}</a>'
        files = ["owner/page.css", "owner/page.js"]
        return shell.page(WORDS["name"], PAGE, Parts(links=to_others, files=files, words=WORDS))

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
    add_links(router, links)

    @router.get("/{name}")
    async def part(name: str) -> Response:
        if name not in PARTS:
            raise Unfit(404, "unknown_page")
        return FileResponse(PARTS[name])

    return router


def add_settings(router: APIRouter, adjustments: Adjustments) -> None:
    @router.put("/settings", status_code=204)
    async def change(request: Request) -> Response:
        """Takes a JSON object of settings by name: a text, or null for the value of the start."""
        await take(adjustments, await request.body())
        return Response(status_code=204)


def add_links(router: APIRouter, links: Links) -> None:
    @router.get("/links")
    async def listed() -> Response:
        """Apart from the figures: the list is read from the disk."""
        return JSONResponse({"links": [asdict(link) for link in await links.all()]})

    @router.delete("/links/{name}", status_code=204)
    async def end(name: str) -> Response:
        if not await links.end(name):
            raise Unfit(404, "unknown_link")
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
