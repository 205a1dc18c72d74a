"""The security headers of every response, and the Content-Security-Policy of the page."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.web.buffering import buffered, is_page

Policy = Mapping[str, Sequence[str]]

CLOSED: Policy = {
    "default-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
}
PAGE: Policy = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    # Gradio sets style attributes everywhere
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    "base-uri": ["'self'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
}
# which shows a Space in a frame
HUGGING_FACE = "https://huggingface.co"
INLINE_SCRIPT = re.compile(
    rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE
)
# With a share link, Gradio serves a page whose front end comes from its bucket.
FRONT_END = re.compile(
    rb'<script[^>]*\ssrc="(https://gradio\.s3-us-west-2\.amazonaws\.com/[0-9.]+/)gradio\.js"'
)
LOADED = ("script-src", "style-src", "font-src", "connect-src")


def written(policy: Policy) -> str:
    return "; ".join(" ".join([name, *sources]) for name, sources in policy.items())


def script_hash(script: bytes) -> str:
    """The source expression of CSP that allows this inline script."""
    return f"'sha256-{b64encode(sha256(script).digest()).decode()}'"


EVERYWHERE = {
    "Content-Security-Policy": written(CLOSED),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # without it browsers resolve the hosts of an answer's links before a click
    "X-DNS-Prefetch-Control": "off",
}


class SecurityHeaders:
    """Adds missing security headers to every response. Must be the outermost middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in EVERYWHERE.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, secured if scope["type"] == "http" else send)


class PagePolicy:
    """Adds the page's Content-Security-Policy: only the page's scripts and the server's inline ones
    may run.

    Must be inside of the middleware that compresses. `scripts` are those that Gradio's front end
    adds, and `ancestors` the other origins that may frame the page.
    """

    def __init__(
        self, app: ASGIApp, scripts: Iterable[str] = (), ancestors: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._hashes = tuple(script_hash(script.encode()) for script in scripts)
        self._ancestors = tuple(ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, buffered(send, self._add) if is_page(scope) else send)

    def _add(self, headers: MutableHeaders, body: bytes) -> bytes:
        headers["Content-Security-Policy"] = self._policy(body)
        return body

    def _policy(self, body: bytes) -> str:
        hashes, hosts = allowed(body)
        policy = {
            name: [*sources, *(hosts if name in LOADED else ())] for name, sources in PAGE.items()
        }
        policy["script-src"] += [*hashes, *self._hashes]
        policy["frame-ancestors"] += self._ancestors
        return written(policy)


@lru_cache(maxsize=8)
def allowed(page: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The hashes of a page's inline scripts, and the address of its front end if that is
    elsewhere."""
    hashes = (script_hash(script) for script in INLINE_SCRIPT.findall(page))
    return tuple(dict.fromkeys(hashes)), tuple(host.decode() for host in FRONT_END.findall(page))
