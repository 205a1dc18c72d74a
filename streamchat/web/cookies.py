"""The chat's cookies: how they are written, and the two kinds of secrets in them."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import Scope

from streamchat.web.paths import address_of

DAY = 86_400


@dataclass(frozen=True)
class Cookie:
    """A cookie of the chat. Its `path` is the prefix under which a proxy serves the chat. `framed`
    is for pages in another site's frame."""

    name: str
    seconds: int
    path: str = "/"
    same_site: Literal["Lax", "Strict"] = "Lax"
    framed: bool = False

    def written(self, scope: Scope, value: str, *, seconds: int | None = None) -> str:
        """The value of the header Set-Cookie."""
        age = self.seconds if seconds is None else seconds
        path = address_of(scope, self.path).rstrip("/") or "/"
        parts = [f"{self.name}={value}", f"Max-Age={age}", f"Path={path}", "HttpOnly"]
        if self.framed:
            parts += ["SameSite=None", "Secure", "Partitioned"]
        else:
            parts += [
                f"SameSite={self.same_site}",
                *(["Secure"] if scope["scheme"] == "https" else []),
            ]
        return "; ".join(parts)

    def values(self, scope: Scope) -> Iterator[str]:
        """All values that came: another site of the same domain may have set one, too."""
        for header in Headers(scope=scope).getlist("cookie"):
            for pair in header.split(";"):
                name, _, value = pair.strip().partition("=")
                if name == self.name:
                    yield value


class Sessions:
    """Random tokens, each valid for `seconds`. Over a bound the oldest of the same visitor ends,
    and then the oldest of all."""

    def __init__(
        self,
        seconds: float,
        *,
        per_visitor: int = 100,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._per_visitor = per_visitor
        self._most = most
        self._clock = clock
        self._begun: dict[bytes, tuple[str, float]] = {}

    def begin(self, visitor: str) -> str:
        now = self._clock()
        self._begun = {
            key: found for key, found in self._begun.items() if now - found[1] < self._seconds
        }
        self._make_room(
            [key for key, (whose, _) in self._begun.items() if whose == visitor], self._per_visitor
        )
        self._make_room(list(self._begun), self._most)
        token = secrets.token_urlsafe(32)
        self._begun[_key(token)] = (visitor, now)
        return token

    def _make_room(self, oldest_first: list[bytes], most: int) -> None:
        for key in oldest_first[: max(len(oldest_first) + 1 - most, 0)]:
            del self._begun[key]

    def has(self, token: str) -> bool:
        found = self._begun.get(_key(token))
        return found is not None and self._clock() - found[1] < self._seconds

    def end(self, token: str) -> None:
        """Idempotent."""
        self._begun.pop(_key(token), None)


class Signed:
    """Random names, signed so that only names of this run of the server are accepted. They grant no
    access by themselves."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def new(self) -> str:
        name = secrets.token_urlsafe(16)
        return f"{name}.{self._sign(name)}"

    def name(self, value: str) -> str | None:
        name, _, signature = value.partition(".")
        return name if compare_digest(signature.encode(), self._sign(name).encode()) else None

    def _sign(self, name: str) -> str:
        return hmac_digest(self._secret, name.encode(), "sha256").hex()


def _key(token: str) -> bytes:
    """The token's hash, which is kept instead of it."""
    return sha256(token.encode()).digest()
