"""A conversation as a link shows it: its words as they were when it was shared, and their HTML,
which is drawn once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamchat.saved.carried import seen
from streamchat.saved.file import SavedConversation
from streamchat.web.problem import Unfit

# of the code that draws; HTML of another version is drawn anew
DRAWING = 1
# bytes of the words
MAX_WORDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The title, the time at which it was shared, the messages as JSON, and their HTML or None."""

    title: str
    at: float
    words: str
    html: str | None = None

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.words)
        return found

    @property
    def text(self) -> str:
        """A line of JSON about it, a line with the messages, and the HTML."""
        about = json.dumps({"at": self.at, "title": self.title, "drawing": DRAWING})
        return "\n".join([about, self.words, self.html or ""])


def taken(told: SavedConversation, at: float) -> Snapshot:
    """The snapshot of a conversation, without versions, with the marks of sources and with what is
    told of its files, and not drawn yet. Raises `Unfit` for one that is too long."""
    said = [{"role": it.role, "text": it.text, **seen(it)} for it in told.messages]
    words = json.dumps(said, ensure_ascii=False).encode(errors="replace")
    if len(words) > MAX_WORDS:
        raise Unfit(413, "too_long", wording="too_long_to_share", most=MAX_WORDS)
    return Snapshot(told.title, at, words.decode())


def read(text: str) -> Snapshot:
    """Reads a snapshot's text, also of an earlier release, which kept no HTML."""
    about, _, rest = text.partition("\n")
    kept = json.loads(about)
    if "messages" in kept:
        return Snapshot(kept["title"], kept["at"], json.dumps(kept["messages"]))
    words, _, html = rest.partition("\n")
    is_current = kept.get("drawing") == DRAWING
    return Snapshot(kept["title"], kept["at"], words, html if is_current else None)
