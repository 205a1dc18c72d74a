"""The page of a shared conversation. It runs and sends nothing, and loads the chat's logo alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import chain
from pathlib import Path
from string import Template
from typing import Any

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
Message = Mapping[str, Any]
# how a picture begins, for whose link there is no token yet
PLACE = "@"
OF_LINK = f'<img src="{PLACE}/'
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

    def showing(self, snapshot: Snapshot, token: str = "") -> Iterator[str]:
        """The page of a drawn snapshot in pieces, with the pictures of the link with that token."""
        day = datetime.fromtimestamp(snapshot.at, UTC)
        date = f"{day.day} {day:%B %Y}"
        chat = self._shell.look().title
        about = text("shared_on", title=chat, date=date)
        begin, end = self._around(snapshot.title, about, text("shared_end"))
        yield begin
        html = (snapshot.html or "").replace(OF_LINK, OF_LINK.replace(PLACE, token))
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


def content(messages: Sequence[Message], most: int = MAX_HTML) -> Iterator[str]:
    """The HTML of the messages, in pieces that each take a short time to make, and a sentence in
    the place of what goes beyond that many characters."""
    room = Room()
    for message in messages:
        kind = "question" if message["role"] == "user" else "answer"
        yield f'<h2 class="who">{text(kind)}</h2>\n<div class="{kind}">'
        for piece in chain(_files(message), _words(kind, message, room)):
            most -= len(piece)
            if most < 0:
                yield f'</div>\n<p class="note">{escape(text("rest_not_shown"))}</p>\n'
                return
            yield piece
        yield "</div>\n"


def _files(message: Message) -> Iterator[str]:
    """The files above the words: pictures by the link's own addresses, others in words alone."""
    if files := message.get("files"):
        items = (f"<li>{_file(file)}</li>" for file in files)
        yield f'<ul class="files">{"".join(items)}</ul>'


def _file(file: Mapping[str, Any]) -> str:
    name = escape(file["name"])
    if id_ := file.get("id"):
        return f'{OF_LINK}{escape(id_)}" alt="{name}" loading="lazy">'
    size, pages = file["size"], file["pages"]
    told = text("shared_pdf", size=size, pages=pages) if pages else text("shared_text", size=size)
    return f'<span dir="auto">{name}</span> <span class="note">{escape(told)}</span>'


def _words(kind: str, message: Message, room: Room) -> Iterator[str]:
    words = message["text"]
    if kind == "answer":
        return drawn(words, room)
    if not (words.strip() or message.get("files")):
        words = text("files_not_shared")
    return (escape(words[at : at + PART], quote=False) for at in range(0, len(words), PART))
