"""The headers of every response of the app, and in which order Gradio's app adds it."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware import Middleware

from streamchat.look import Look
from streamchat.ui import OPENING, SCRIPT
from streamchat.web import preview
from streamchat.web.headers import PagePolicy, SecurityHeaders
from streamchat.web.opening import Opening


def put_own_middleware_first(app: FastAPI) -> None:
    """Gradio's own, which allows other sites to read answers, would come first."""
    app.user_middleware.sort(key=lambda each: not _is_own(each))


def secure_every_response(app: FastAPI, framed_by: Sequence[str], look: Look) -> None:
    """The page's policy is made before Gradio compresses the page; the other headers also go on
    what fails."""
    put_own_middleware_first(app)
    app.user_middleware.append(Middleware(PagePolicy, [SCRIPT], framed_by))
    app.user_middleware.append(Middleware(Opening, preview.preview(look), OPENING))
    app.middleware_stack = SecurityHeaders(app.build_middleware_stack())


def _is_own(middleware: Middleware) -> bool:
    return getattr(middleware.cls, "__module__", "").startswith("streamchat.")
