"""The shell of every page beside the chat: one head, one header, one look, one policy."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

from streamchat.look import Look
from streamchat.web import icons
from streamchat.web.headers import CLOSED, Policy, script_hash, written

STYLE = Path(__file__).with_name("shell.css").read_text("utf-8")
# The theme that the reader chose in the chat. It runs before the page is painted.
THEME = """try {
  const theme = localStorage.getItem("streamchat.theme");
  if (theme) document.documentElement.classList.add(theme);
} catch { /* a browser that keeps nothing has the system's theme */ }"""
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
$head
<style>$style</style>
<script>$theme</script>
$parts
</head>
<body>
<header class="head"><a class="home" href="$root"><img src="$logo" alt="">$name</a>$links</header>
$content
</body>
</html>
""")


class Shell:
    """Makes pages in the look that holds when they are asked for."""

    def __init__(self, look: Callable[[], Look]) -> None:
        self.look = look

    def page(  # noqa: PLR0913 (each is a part of a page)
        self,
        name: str,
        content: str,
        *,
        root: str = "./",
        links: str = "",
        head: str = "",
        parts: Sequence[str] = (),
        words: Mapping[str, str] | None = None,
        policy: Policy | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """A page of this name. All but the name is HTML.

        `root` is the way from the page to the chat, `parts` are the addresses of its styles and
        module scripts, `words` those that its scripts say, and `policy` has what it may do beside
        showing itself.
        """
        look = self.look()
        style = look.page_css + STYLE
        page = PAGE.substitute(
            title=escape(f"{name} · {look.title}"),
            name=escape(look.title),
            head=f"{icons.tags(look, root)}\n{head}{_meta(words)}",
            style=style,
            theme=THEME,
            parts="\n".join(map(_part, parts)),
            root=root,
            logo=icons.address(look, root),
            links=f"<nav>{links}</nav>" if links else "",
            content=content,
        )
        allowed = written({**_policy(style, parts), **(policy or {})})
        fixed = {"Cache-Control": "no-cache", "Content-Security-Policy": allowed}
        return HTMLResponse(page, status, {**fixed, **(headers or {})})


def filled(template: Template, words: Mapping[str, str]) -> str:
    """The HTML with the words in their places, as text."""
    return template.substitute({code: escape(word) for code, word in words.items()})


def _part(address: str) -> str:
    if address.endswith(".css"):
        return f'<link rel="stylesheet" href="{address}">'
    return f'<script type="module" src="{address}"></script>'


def _meta(words: Mapping[str, str] | None) -> str:
    content = escape(json.dumps(words)) if words else ""
    return f'<meta name="words" content="{content}">' if words else ""


def _policy(style: str, parts: Sequence[str]) -> dict[str, Sequence[str]]:
    own = ["'self'"] if parts else []
    return {
        **CLOSED,
        "style-src": [_hash(style), *own],
        "script-src": [_hash(THEME), *own],
        "img-src": ["'self'"],
        **({"connect-src": own} if own else {}),
    }


@lru_cache(maxsize=4)
def _hash(inline: str) -> str:
    return script_hash(inline.encode())
