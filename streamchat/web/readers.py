"""Identifies the readers of saved conversations: the logged-in user, or else one browser by a
cookie."""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.web.buffering import is_page
from streamchat.web.cookies import DAY, Cookie
from streamchat.web.login import user_of
from streamchat.web.paths import address_of

# the longest that browsers keep one
SECONDS = 400 * DAY
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# the key in a request's scope
READER = "streamchat.reader"


class Readers:
    """Puts the reader's name into each request's scope, and gives a browser its cookie with the
    page. Runs behind the login. `framed` is for a chat in another site's frame."""

    def __init__(self, app: ASGIApp, *, framed: bool = False) -> None:
        self._app = app
        self._framed = framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        user, cookie = user_of(scope), self._cookie(scope)
        token = next(filter(TOKEN.fullmatch, cookie.values(scope)), "")
        scope[READER] = f"user:{user}" if user else token and f"browser:{token}"
        if not user and is_page(scope) and scope["method"] == "GET":
            # each time, so that it is kept as long as it is used
            send = giving(send, cookie.written(scope, token or secrets.token_urlsafe(32)))
        await self._app(scope, receive, send)

    def _cookie(self, scope: Scope) -> Cookie:
        """The cookie; with a prefix, if the browser supports it, that keeps other sites from
        setting it."""
        has_prefix = (scope["scheme"] == "https" or self._framed) and address_of(scope, "/") == "/"
        prefix = "__Host-" if has_prefix else ""
        return Cookie(f"{prefix}streamchat_browser", SECONDS, framed=self._framed)


def giving(send: Send, cookie: str) -> Send:
    """Adds the cookie to the response, and forbids caching it, or others would get the same
    cookie."""

    async def given(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("Set-Cookie", cookie)
            headers["Cache-Control"] = "no-store"
        await send(message)

    return given


def reader_of(scope: Scope) -> str:
    """The reader's name; empty without a cookie and a login, and then nothing is saved."""
    return str(scope.get(READER, ""))
