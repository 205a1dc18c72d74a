"""The shell of every page beside the chat: one head, one header, one look, one policy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

from streamchat.look import Look
from streamchat.web import icons
from streamchat.web.headers import CLOSED, Policy, script_hash, written
from streamchat.web.wording import words_tag

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
$scripts
</head>
<body>
<header class="head"><a class="home" href="$root"><img src="$logo" alt="">$name</a>$links</header>
""")
END = """
</body>
</html>
"""


@dataclass(frozen=True)
class Parts:
    """The parts of a page beside its content, as HTML.

    `root` is the path from the page to the chat, `files` are the addresses of its styles and module
    scripts, and `words` are the texts of its scripts. `policy` allows the page more than to show
    itself. A `still` page has no script at all.
    """

    root: str = "./"
    links: str = ""
    head: str = ""
    style: str = ""
    files: Sequence[str] = ()
    words: Mapping[str, str] | None = None
    policy: Policy = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    still: bool = False


@dataclass(frozen=True)
class Frame:
    """The HTML around a page's content, and the page's headers."""

    before: str
    headers: Mapping[str, str]
    after: str = END


class Shell:
    """Makes pages in the look of the moment."""

    def __init__(self, look: Callable[[], Look]) -> None:
        self.look = look

    def page(self, name: str, content: str, parts: Parts, status: int = 200) -> HTMLResponse:
        """A page of this name; the name is text, the content HTML."""
        frame = self.frame(name, parts)
        return HTMLResponse(f"{frame.before}{content}{frame.after}", status, frame.headers)

    def frame(self, name: str, parts: Parts) -> Frame:
        look = self.look()
        style = look.page_css + STYLE + parts.style
        before = PAGE.substitute(
            title=escape(f"{name} · {look.title}"),
            name=escape(look.title),
            head=f"{icons.tags(look, parts.root)}\n{parts.head}{words_tag(parts.words)}",
            style=style,
            scripts="\n".join(_scripts(parts)),
            root=parts.root,
            logo=icons.address(look, parts.root),
            links=f"<nav>{parts.links}</nav>" if parts.links else "",
        )
        policy = written({**_policy(style, parts), **parts.policy})
        fixed = {"Cache-Control": "no-cache", "Content-Security-Policy": policy}
        return Frame(before, {**fixed, **parts.headers})


def filled(template: Template, words: Mapping[str, str]) -> str:
    """The HTML with these words inserted as text."""
    return template.substitute({code: escape(word) for code, word in words.items()})


def _scripts(parts: Parts) -> Iterator[str]:
    if not parts.still:
        yield f"<script>{THEME}</script>"
    for address in parts.files:
        if address.endswith(".css"):
            yield f'<link rel="stylesheet" href="{address}">'
        else:
            yield f'<script type="module" src="{address}"></script>'


def _policy(style: str, parts: Parts) -> dict[str, Sequence[str]]:
    own = ["'self'"] if parts.files else []
    return {
        **CLOSED,
        "style-src": [_hash(style), *own],
        **({} if parts.still else {"script-src": [_hash(THEME), *own]}),
        "img-src": ["'self'"],
        **({"connect-src": own} if own else {}),
    }


@lru_cache(maxsize=4)
def _hash(inline: str) -> str:
    return script_hash(inline.encode())
