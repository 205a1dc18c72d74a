"""Shows a refusal as a page to a person whose browser opens an address."""

import json
from html import escape

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamchat.texts import page_words
from streamchat.web.paths import path_of
from streamchat.web.shell import Parts, Shell

WORDS = page_words("refusal")
# what a page brings along by itself, and what says how long it is
OWN = (
    b"content-length",
    b"content-type",
    b"content-encoding",
    b"content-security-policy",
    b"cache-control",
)


class RefusalPages:
    """Gives browsers the refusals of all that is inside as pages, with the same status and the
    same headers. Programs and the page's own requests get the JSON."""

    def __init__(self, app: ASGIApp, shell: Shell) -> None:
        self._app = app
        self._shell = shell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and opens_a_page(scope):
            send = Worded(self._shell, scope, receive, send)
        await self._app(scope, receive, send)


class Worded:
    """Holds a refusal until it is whole, and sends a page instead. Passes on all else."""

    def __init__(self, shell: Shell, scope: Scope, receive: Receive, send: Send) -> None:
        self._shell = shell
        self._scope, self._receive, self._send = scope, receive, send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and is_refusal(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        status, root = start["status"], root_of(self._scope)
        name = WORDS["not_found"] if status == 404 else WORDS["refused"]
        parts = Parts(root=root, headers={"Cache-Control": "no-store"})
        page = self._shell.page(name, content(name, said(self._body), root), parts, status)
        kept = [(name, value) for name, value in start["headers"] if name.lower() not in OWN]
        page.raw_headers += kept
        await page(self._scope, self._receive, self._send)


def opens_a_page(scope: Scope) -> bool:
    """Whether a browser asks for what a person will look at."""
    headers = Headers(scope=scope)
    wants_page = headers.get("accept", "").startswith("text/html")
    # browsers without it are older than Gradio's page
    mode = headers.get("sec-fetch-mode", "navigate")
    return scope["method"] in ("GET", "HEAD") and wants_page and mode == "navigate"


def is_refusal(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] >= 400 and kind.startswith("application/json")


def said(body: bytes) -> str:
    """The sentence of a refusal; empty for JSON that is none of ours."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return message if isinstance(message, str) else ""


def content(name: str, sentence: str, root: str) -> str:
    return f"""<main class="card alone">
<h1>{escape(name)}</h1>
<p>{escape(sentence)}</p>
<p><a class="button main-button" href="{root}">{escape(WORDS["open_chat"])}</a></p>
</main>"""


def root_of(scope: Scope) -> str:
    """The way from the page of this request to the chat, below whatever path a proxy has it."""
    return "../" * (path_of(scope).count("/") - 1) or "./"
