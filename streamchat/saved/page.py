"""The page of a shared conversation. It runs, loads and sends nothing."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from streamchat.look import Look
from streamchat.saved.markup import drawn
from streamchat.texts import text
from streamchat.web.headers import CLOSED, written

HTML = Path(__file__).with_name("shared.html").read_text("utf-8")
# what stands before the content of a page, and behind it
AROUND = [Template(part) for part in HTML.split("$content")]
STYLE = Path(__file__).with_name("shared.css").read_text("utf-8")
# characters of a question that are sent at once
PART = 50_000


class Page:
    """A page with the chat's look, and headers that forbid caching, indexing and framing."""

    def __init__(self, look: Look) -> None:
        self._chat = look.title
        self._style = look.page_css + STYLE
        hashed = b64encode(sha256(self._style.encode()).digest()).decode()
        policy = {**CLOSED, "style-src": [f"'sha256-{hashed}'"], "img-src": ["data:"]}
        self.headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": written(policy),
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex, nofollow",
        }

    def showing(self, snapshot: str) -> Iterator[str]:
        """The page in pieces that each take a short time to make."""
        shared = json.loads(snapshot)
        day = datetime.fromtimestamp(shared["at"], UTC)
        date = f"{day.day} {day:%B %Y}"
        begin, end = self._around(
            shared["title"], text("shared_on", title=self._chat, date=date), text("shared_end")
        )
        yield begin
        for message in shared["messages"]:
            yield from _article(message["role"], message["text"])
        yield end

    def saying(self, title: str, sentence: str) -> str:
        """A page with one sentence in place of a conversation."""
        return "".join(self._around(title, sentence))

    def _around(self, title: str, sentence: str, end: str = "") -> tuple[str, str]:
        values = {
            "title": title,
            "chat": self._chat,
            "sentence": sentence,
            "end": end,
            "start": text("start_own_chat"),
        }
        shown = {name: escape(value) for name, value in values.items()}
        begin, end = (part.substitute(shown, style=self._style) for part in AROUND)
        return begin, end


def _article(role: str, words: str) -> Iterator[str]:
    if role == "user":
        yield f'<h2 class="who">{text("question")}</h2>\n<div class="question">'
        yield from (escape(words[at : at + PART], quote=False) for at in range(0, len(words), PART))
    else:
        yield f'<h2 class="who">{text("answer")}</h2>\n<div class="answer">'
        yield from drawn(words)
    yield "</div>\n"
