"""Who may come in over HTTP: not the pages of other sites and, where a password is asked for, only who has it."""

import base64
import secrets
from contextlib import suppress
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPBasic

from streamchat.problem import unfit


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


async def own_page(request: Request) -> None:
    """Gradio lets any site's page call a public server with its visitor's login. A reply costs money: not here."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is not None:  # browsers tell the site to https and to localhost only
        site = "same-origin" if urlsplit(origin).netloc == request.headers.get("host") else "cross-site"
    if site not in (None, "same-origin", "none"):
        raise unfit(403, "foreign_page", "Other sites' pages may not use this chat.")
