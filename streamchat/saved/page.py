"""The page of a shared conversation. It runs and sends nothing, and loads the chat's logo alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template

from streamchat.saved.formulas import Room
from streamchat.saved.markup import drawn
from streamchat.saved.snapshot import Snapshot
from streamchat.texts import text
from streamchat.ui import SOURCES
from streamchat.web.shell import Frame, Parts, Shell

STYLE = Path(__file__).with_name("shared.css").read_text("utf-8")
PARTS = Parts(
    root="../",
    head="""<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
""",
    style=STYLE + SOURCES,
    headers={
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
    },
    still=True,
)
CONTENT = Template("""<main class="page">
<h1 dir="auto">$title</h1>
<p class="note about">$sentence</p>
""")
END = Template("""<footer class="note"><p>$end <a href="../">$start</a></p></footer>
</main>""")
# characters that are sent at once
PART = 50_000
# characters of HTML
MAX_HTML = 4_000_000


class Page:
    """A page with the chat's look, and headers that forbid caching, indexing and framing."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @property
    def headers(self) -> Mapping[str, str]:
        return self._frame("").headers

    def showing(self, snapshot: Snapshot) -> Iterator[str]:
        """The page of a drawn snapshot in pieces."""
        day = datetime.fromtimestamp(snapshot.at, UTC)
        date = f"{day.day} {day:%B %Y}"
        chat = self._shell.look().title
        about = text("shared_on", title=chat, date=date)
        begin, end = self._around(snapshot.title, about, text("shared_end"))
        yield begin
        html = snapshot.html or ""
        yield from (html[at : at + PART] for at in range(0, len(html), PART))
        yield end

    def saying(self, title: str, sentence: str) -> str:
        """A page with one sentence in place of a conversation."""
        return "".join(self._around(title, sentence))

    def _around(self, title: str, sentence: str, end: str = "") -> tuple[str, str]:
        frame = self._frame(title)
        begin = CONTENT.substitute(title=escape(title), sentence=escape(sentence))
        start = escape(text("start_own_chat"))
        return frame.before + begin, END.substitute(end=escape(end), start=start) + frame.after

    def _frame(self, title: str) -> Frame:
        return self._shell.frame(title, PARTS)


def content(messages: Sequence[Mapping[str, str]], most: int = MAX_HTML) -> Iterator[str]:
    """The HTML of the messages, in pieces that each take a short time to make, and a sentence in
    the place of what goes beyond that many characters."""
    room = Room()
    for message in messages:
        kind = "question" if message["role"] == "user" else "answer"
        yield f'<h2 class="who">{text(kind)}</h2>\n<div class="{kind}">'
        for piece in _words(kind, message["text"], room):
            most -= len(piece)
            if most < 0:
                yield f'</div>\n<p class="note">{escape(text("rest_not_shown"))}</p>\n'
                return
            yield piece
        yield "</div>\n"


def _words(kind: str, words: str, room: Room) -> Iterator[str]:
    if kind == "answer":
        return drawn(words, room)
    words = words if words.strip() else text("files_not_shared")
    return (escape(words[at : at + PART], quote=False) for at in range(0, len(words), PART))
