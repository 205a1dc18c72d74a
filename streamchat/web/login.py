"""The login set by STREAMCHAT_AUTH: a page with a form, sessions, and HTTP Basic for programs."""

import base64
import binascii
from collections.abc import Sequence

from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from streamchat.errors import TooOften
from streamchat.texts import text, worded
from streamchat.visitors import Identify
from streamchat.web.cookies import DAY, Cookie, Sessions
from streamchat.web.login_page import LoginPage
from streamchat.web.passwords import Guesses, Password
from streamchat.web.paths import link_of, page_of, path_of
from streamchat.web.problem import problem, refused

LOGIN, LOGOUT = "/login", "/logout"
# where HTTP Basic is taken: elsewhere browsers send along what they know of the owner's page
FOR_PROGRAMS = ("/api/", "/openapi.json")
# pages that a browser opens, and is sent to the login from
PAGES = ("/", "/docs")
# Gradio asks for it when it has launched, and has no login then
STARTUP = "/gradio_api/startup-events"
WEEK = 7 * DAY
# the key in a request's scope
USER = "streamchat.user"


class Logins:
    """The browsers that are logged in. `is_starting` lets the server's own first request in during
    the start."""

    def __init__(self, user: str, password: str, identify: Identify, page: LoginPage) -> None:
        self.user = user
        self.is_starting = True
        self._password = Password(f"{user}:{password}", Guesses())
        self._identify = identify
        self._sessions = Sessions(WEEK)
        self._page = page

    def has_session(self, scope: Scope) -> bool:
        return any(map(self._sessions.has, self._cookie(scope).values(scope)))

    def has_password(self, scope: Scope) -> bool | None:
        """Whether HTTP Basic has the right password; None without HTTP Basic. Raises `TooOften`."""
        given = basic(Headers(scope=scope))
        return None if given is None else self._password.check(given, self._visitor(scope))

    def begin(self, scope: Scope, user: str, password: str) -> str | None:
        """The cookie of a new session, or None for a wrong password. Raises `TooOften`."""
        visitor = self._visitor(scope)
        if not self._password.check(f"{user}:{password}", visitor):
            return None
        return self._cookie(scope).written(scope, self._sessions.begin(visitor))

    def end(self, scope: Scope) -> str:
        """Ends this browser's session; returns the cookie that replaces its own."""
        cookie = self._cookie(scope)
        for token in cookie.values(scope):
            self._sessions.end(token)
        return cookie.written(scope, "", seconds=0)

    def routes(self) -> list[Route]:
        return [
            Route(LOGIN, self._show, methods=["GET"]),
            Route(LOGIN, self._log_in, methods=["POST"]),
            Route(LOGOUT, self._log_out, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        is_inside = self.has_session(request.scope)
        return self._page.inside(request) if is_inside else self._page.form(request)

    async def _log_in(self, request: Request) -> Response:
        form, then = await _form(request), page_of(request.query_params.get("then", ""))
        user, password = (
            value if isinstance(value := form.get(name), str) else ""
            for name in ("username", "password")
        )
        try:
            cookie = self.begin(request.scope, user.strip(), password)
        except TooOften as error:
            return (
                self._form_with(request, worded(error), problem(error))
                if _is_browser(request)
                else problem(error)
            )
        if cookie is None:
            wrong = refused(401, "wrong_password")
            sentence = text("wrong_password")
            return self._form_with(request, sentence, wrong) if _is_browser(request) else wrong
        return _with_cookie(
            _to(request.scope, then) if _is_browser(request) else JSONResponse({"success": True}),
            cookie,
        )

    async def _log_out(self, request: Request) -> Response:
        cookie = self.end(request.scope)
        return _with_cookie(
            _to(request.scope, LOGIN) if _is_browser(request) else Response(status_code=204), cookie
        )

    def _form_with(self, request: Request, message: str, refusal: Response) -> Response:
        page = self._page.form(request, message, refusal.status_code)
        if wait := refusal.headers.get("retry-after"):
            page.headers["Retry-After"] = wait
        return page

    def _visitor(self, scope: Scope) -> str:
        return self._identify(
            scope["client"][0] if scope["client"] else None, Headers(scope=scope), None
        )

    def _cookie(self, scope: Scope) -> Cookie:
        """A cookie with the port in its name: cookies do not tell ports apart, and a machine may
        run two chats."""
        port = (scope.get("server") or ("", 0))[1]
        return Cookie(f"streamchat_{port}", WEEK, framed=bool(self._page.framed_by))


class LoginCheck:
    """Refuses every request without a login, except those for the login and the `open` paths."""

    def __init__(self, app: ASGIApp, logins: Logins, *, open: Sequence[str] = ()) -> None:  # noqa: A002
        self._app = app
        self._logins = logins
        self._open = open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            app = self._app if self._is_open(path_of(scope)) else self._checked(scope)
        except TooOften as error:
            app = problem(error)
        if scope["type"] == "websocket" and app is not self._app:
            app = closed
        await app(scope, receive, send)

    def _checked(self, scope: Scope) -> ASGIApp:
        path = path_of(scope)
        for_programs = path.startswith(FOR_PROGRAMS)
        if self._logins.has_session(scope) or (for_programs and self._logins.has_password(scope)):
            scope[USER] = self._logins.user
            return self._app
        if scope.get("method") in ("GET", "HEAD"):
            if path in PAGES:
                return _to(scope, LOGIN)
            if page_of(path) == path:
                return _to(scope, f"{LOGIN}?then={path}")
        headers = challenge("StreamChat") if for_programs else None
        return refused(401, "login_required", headers)

    def _is_open(self, path: str) -> bool:
        is_own = any(path == each or path.startswith(f"{each}/") for each in self._open)
        return is_own or path in (LOGIN, LOGOUT) or (path == STARTUP and self._logins.is_starting)


async def closed(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "websocket.close"})


def user_of(scope: Scope) -> str | None:
    """The user who is logged in, if there is a login."""
    user: str | None = scope.get(USER)
    return user


def basic(headers: Headers) -> str | None:
    """User and password from HTTP Basic, joined by a colon; None without them."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None


def challenge(realm: str) -> dict[str, str]:
    """The header that makes browsers ask for a user and a password, once for each realm."""
    return {"WWW-Authenticate": f'Basic realm="{realm}", charset="UTF-8"'}


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=0, max_fields=10)
    except HTTPException:
        return FormData()


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _to(scope: Scope, path: str) -> Response:
    return RedirectResponse(link_of(scope, path), 303, {"Cache-Control": "no-store"})


def _with_cookie(response: Response, cookie: str) -> Response:
    response.headers["Set-Cookie"] = cookie
    response.headers["Cache-Control"] = "no-store"
    return response
