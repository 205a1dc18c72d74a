"""Logins over HTTP where a password is asked for."""

import base64
import secrets
from contextlib import suppress

from fastapi import HTTPException
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPBasic

from streamchat.web.problem import unfit


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
