"""Tells who may read a saved conversation: the user who is logged in, or else one browser, by a
cookie."""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.web.cookies import DAY, Cookie
from streamchat.web.login import user_of
from streamchat.web.paths import address_of
from streamchat.web.whole import is_page

# the longest that browsers keep one
SECONDS = 400 * DAY
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# the key in a request's scope
READER = "streamchat.reader"


class Readers:
    """Names the reader in the scope of each request, and gives a browser its cookie with the page.

    Stands behind the login. `framed` is for a chat in another site's frame.
    """

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
        """With a prefix where browsers know it, so that no site beside this one can set it."""
        has_prefix = (scope["scheme"] == "https" or self._framed) and address_of(scope, "/") == "/"
        prefix = "__Host-" if has_prefix else ""
        return Cookie(f"{prefix}streamchat_browser", SECONDS, framed=self._framed)


def giving(send: Send, cookie: str) -> Send:
    """Adds the cookie, and keeps the response out of caches, whose other readers would get it."""

    async def given(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("Set-Cookie", cookie)
            headers["Cache-Control"] = "no-store"
        await send(message)

    return given


def reader_of(scope: Scope) -> str:
    """The reader's name; empty for one without a cookie and a login, who keeps nothing."""
    return str(scope.get(READER, ""))
