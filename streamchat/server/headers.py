"""The headers of every response, and the order in which Gradio's app adds them."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware import Middleware

from streamchat.look import Look
from streamchat.ui import OPENING, SCRIPT
from streamchat.web import preview
from streamchat.web.headers import PagePolicy, SecurityHeaders
from streamchat.web.opening import Opening


def put_own_middleware_first(app: FastAPI) -> None:
    """Moves our middleware before Gradio's, which would let other sites read responses."""
    app.user_middleware.sort(key=lambda each: not _is_own(each))


def secure_every_response(app: FastAPI, framed_by: Sequence[str], look: Look) -> None:
    """Adds the page's policy inside Gradio's compression, and the other headers outermost, so that
    error responses have them too."""
    put_own_middleware_first(app)
    app.user_middleware.append(Middleware(PagePolicy, [SCRIPT], framed_by))
    app.user_middleware.append(Middleware(Opening, preview.preview(look), OPENING))
    app.middleware_stack = SecurityHeaders(app.build_middleware_stack())


def _is_own(middleware: Middleware) -> bool:
    return getattr(middleware.cls, "__module__", "").startswith("streamchat.")
