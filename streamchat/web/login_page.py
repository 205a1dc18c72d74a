"""The page with the form of the login."""

from collections.abc import Sequence
from html import escape
from string import Template

from starlette.requests import Request
from starlette.responses import Response

from streamchat.texts import page_words
from streamchat.web import preview
from streamchat.web.page_head import address
from streamchat.web.shell import Parts, Shell, filled

WORDS = page_words("login")
FORM = filled(
    Template("""<main class="card alone">
<h1>$name</h1>
{message}
<form method="post">
<label>$user
<input name="username" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>$password
<input name="password" type="password" autocomplete="current-password" required></label>
<button class="main-button">$log_in</button>
</form>
</main>"""),
    WORDS,
)
INSIDE = filled(
    Template("""<main class="card alone">
<h1>$logged_in</h1>
<p><a class="button main-button" href="./">$open_chat</a></p>
<form method="post" action="logout"><button>$log_out</button></form>
</main>"""),
    WORDS,
)


class LoginPage:
    """Says nothing of the chat but how its owner presents it. The sites of `framed_by` may show it
    in a frame."""

    def __init__(self, shell: Shell, framed_by: Sequence[str] = ()) -> None:
        self._shell = shell
        self.framed_by = framed_by

    def form(self, request: Request, message: str = "", status: int = 200) -> Response:
        alert = f'<p class="bad" role="alert">{escape(message)}</p>' if message else ""
        return self._page(request, FORM.format(message=alert), status)

    def inside(self, request: Request) -> Response:
        """The page for a browser that is logged in."""
        return self._page(request, INSIDE)

    def _page(self, request: Request, content: str, status: int = 200) -> Response:
        # a program that shows a link to the chat is led to this page
        tags = preview.preview(self._shell.look()).tags(address(request.scope))
        parts = Parts(
            head=tags,
            policy={
                "form-action": ["'self'"],
                "frame-ancestors": list(self.framed_by) or ["'none'"],
            },
            headers={
                "Cache-Control": "no-store",
                # with no-referrer a browser would not say from which site the form comes
                "Referrer-Policy": "same-origin",
            },
        )
        return self._shell.page(WORDS["name"], content, parts, status)
