"""Who may come in over HTTP: not the pages of other sites and, where a password is asked for, only who has it."""

import base64
import secrets
from contextlib import suppress

from fastapi import HTTPException, Request
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic
from starlette.types import ASGIApp, Receive, Scope, Send

from streamchat.web.problem import unfit

MAX_BODY = 32_000_000  # bytes
SAFE = ("GET", "HEAD", "OPTIONS")
OWN = (None, "same-origin", "none")  # what a browser says of the site whose page asks; a program says nothing


class Login(HTTPBasic):
    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self._expected = f"{user}:{password}".encode()

    async def __call__(self, request: HTTPConnection) -> None:
        if not secrets.compare_digest(credentials(request) or b"", self._expected):
            raise login_required("StreamChat", "This chat asks for a user and a password.")


def credentials(request: HTTPConnection) -> bytes | None:
    """The user and the password, with a colon between them; None if there are none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    with suppress(ValueError):
        return base64.b64decode(encoded) if scheme.lower() == "basic" else None
    return None


def login_required(realm: str, message: str) -> HTTPException:
    """To be raised: browsers ask for a user and a password, once for each realm."""
    return unfit(401, "login_required", message, {"WWW-Authenticate": f'Basic realm="{realm}", charset="UTF-8"'})


class OwnPages:
    """Gradio lets any site's page call a public server with its visitor's login. A reply costs money: not here.

    Only what browsers say of the site counts: behind a proxy the host that Gradio's pages see may be another one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = scope["type"] == "http" and scope["method"] not in SAFE and _site(HTTPConnection(scope)) not in OWN
        app = JSONResponse(_foreign_page().detail, 403) if refused else self._app
        await app(scope, receive, send)


async def own_page(request: Request) -> None:
    """The same for the routes of our own."""
    if foreign(request):
        raise _foreign_page()


def foreign(request: Request) -> bool:
    """Whether another site's page asks, also where browsers do not tell the site: they do to https and to localhost."""
    site, origin = _site(request), request.headers.get("origin")
    if site is None and origin is not None:
        return origin.partition("://")[2] != request.headers.get("host")
    return site not in OWN


def _site(request: HTTPConnection) -> str | None:
    return request.headers.get("sec-fetch-site")


def _foreign_page() -> HTTPException:
    return unfit(403, "foreign_page", "Other sites' pages may not use this chat.")
