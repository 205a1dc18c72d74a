"""The headers of every response, and the order in which Gradio's app adds them."""

from collections.abc import Callable, Sequence
from html import escape

from fastapi import FastAPI
from starlette.middleware import Middleware

from streamchat.look import Look
from streamchat.ui import OPENING, SCRIPT, WORDS
from streamchat.web import icons, preview
from streamchat.web.headers import PagePolicy, SecurityHeaders
from streamchat.web.page_head import PageHead


def put_own_middleware_first(app: FastAPI) -> None:
    """Moves our middleware before Gradio's, which would let other sites read responses."""
    app.user_middleware.sort(key=lambda each: not _is_own(each))


def secure_every_response(app: FastAPI, framed_by: Sequence[str], look: Callable[[], Look]) -> None:
    """Adds the page's policy inside Gradio's compression, and the other headers outermost, so that
    error responses have them too."""
    put_own_middleware_first(app)
    app.user_middleware.append(Middleware(PagePolicy, [SCRIPT], framed_by))
    app.user_middleware.append(
        Middleware(PageHead, lambda address: tags(look(), address), OPENING, WORDS)
    )
    app.middleware_stack = SecurityHeaders(app.build_middleware_stack())


def tags(look: Look, address: str) -> str:
    """The head of the chat's page, for browsers and for other programs that show a link to it."""
    title = f"<title>{escape(look.title)}</title>"
    return "\n".join([title, preview.preview(look).tags(address), icons.tags(look, ""), ""])


def _is_own(middleware: Middleware) -> bool:
    return getattr(middleware.cls, "__module__", "").startswith("streamchat.")
