"""An answer's sources and searches, as they are kept within its text.

A mark stands right behind the words that a source supports, and names its citation by a number. The
citations themselves are a block at the end of the text, and a search is a block where it happened.
Foreign text has neither, since it cannot contain the characters that begin them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from streamchat.events import Citation, Found, FoundPage, Search
from streamchat.ui.content import INERT, SOURCE, as_text

BEGIN = INERT + SOURCE
MARK = re.compile(rf"{BEGIN}(\d{{1,4}}){SOURCE}")
BLOCK = re.compile(rf"(?:\n\n)?{BEGIN}{SOURCE}(\{{.*?\}}){SOURCE}(?:\n\n)?")
# characters of an answer's last line that can close a block of code
FENCE = re.compile(r"[ \t>]*(?:`{3,}|~{3,})[ \t]*\Z")
WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Look:
    """A search, and what it found; nothing yet while it runs."""

    search: Search
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer as it is kept: its words with marks and searches, in order, and its citations.
    `is_whole` unless it is still being written."""

    parts: tuple[str | Look, ...]
    citations: tuple[Citation, ...] = ()
    is_whole: bool = True


def mark(place: int) -> str:
    return f"{BEGIN}{place}{SOURCE}"


def block(**content: Any) -> str:
    # without an own character outside ASCII
    return f"\n\n{BEGIN}{SOURCE}{json.dumps(content)}{SOURCE}\n\n"


def search_block(look: Look) -> str:
    found = look.found and asdict(look.found)
    return block(search=asdict(look.search), found=found)


def citations_block(citations: Sequence[Citation], *, is_whole: bool) -> str:
    return block(citations=list(map(asdict, citations)), is_whole=is_whole).rstrip()


def ended(text: str) -> str:
    """The same answer, as one that is not written any more."""
    return text.replace(f'"is_whole": false}}{SOURCE}', f'"is_whole": true}}{SOURCE}')


def has_marks(text: str) -> bool:
    return BEGIN in text


def read(text: str) -> Cited:
    """The answer that is kept as this text."""
    parts: list[str | Look] = []
    citations: list[Citation] = []
    is_whole = True
    for number, piece in enumerate(BLOCK.split(text)):
        if number % 2 == 0:
            parts += [piece] if piece else []
        elif "search" in (content := json.loads(piece)):
            parts.append(_look(content))
        else:
            citations += [_made(Citation, each) for each in content["citations"]]
            is_whole = content["is_whole"]
    return Cited(tuple(parts), tuple(citations), is_whole)


def spoken(text: str) -> str:
    """The words alone, as Claude wrote them."""
    if not has_marks(text):
        return text
    return MARK.sub("", _words(read(text)))


def with_sources(text: str) -> str:
    """The words for Claude, with the sources at the end, which it may be asked about."""
    found = sources(read(text).citations) if has_marks(text) else {}
    lines = [f"{number}. {it.title}{it.url and f', {it.url}'}" for number, it in found.items()]
    listed = f"\n\n[Sources shown with this answer: {'; '.join(lines)}]" if lines else ""
    return spoken(text) + listed


def linked(text: str) -> str:
    """The answer as ordinary Markdown, in which numbers are links, with its sources at the end."""
    if not has_marks(text):
        return text
    kept = read(text)
    marked = MARK.sub(lambda found: _link(kept.citations, int(found[1])), _words(kept))
    lines = [f"{number}. {_named(it)}" for number, it in sources(kept.citations).items()]
    return "\n\n".join([marked, *(["\n".join(lines)] if lines else [])])


def sources(citations: Sequence[Citation]) -> dict[int, Citation]:
    """The first citation of each source by the source's number, in order."""
    found: dict[int, Citation] = {}
    for each in citations:
        found.setdefault(each.number, each)
    return dict(sorted(found.items()))


def goes_to(url: str) -> str:
    """The address if it leads to the web; otherwise it is empty."""
    return url if WEB.match(url) else ""


def attached(text: str, sign: str) -> str:
    """The text with a mark where it ends: before spaces, and inside a table's last cell."""
    words = text.rstrip()
    line = words.rpartition("\n")[2]
    if FENCE.match(line):
        return f"{words}\n\n{sign}{text[len(words) :]}"
    if line.lstrip().startswith("|") and line.endswith("|") and len(line) > 1:
        words, sign = words[:-1].rstrip(), f"{sign} |"
    return words + sign + text[len(text.rstrip()) :]


def _look(content: dict[str, Any]) -> Look:
    search = _made(Search, content["search"])
    if not (found := content["found"]):
        return Look(search)
    pages = tuple(_made(FoundPage, each) for each in found["sources"])
    return Look(search, _made(Found, found | {"sources": pages}))


def _made(kind: Any, values: dict[str, Any]) -> Any:
    """The value, without fields of a later release."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})


def _link(citations: Sequence[Citation], place: int) -> str:
    if place >= len(citations):
        return ""
    it = citations[place]
    return f"[[{it.number}]]({_escaped(it.url)})" if goes_to(it.url) else f"[{it.number}]"


def _named(citation: Citation) -> str:
    title = as_text(citation.title or citation.site)
    url = goes_to(citation.url)
    return f"[{title}]({_escaped(url)})" if url else title


def _escaped(url: str) -> str:
    """The address, in which no sign ends a link or begins something else."""
    return "".join(f"%{ord(sign):02X}" if sign in "()<>[]\\\"'`$*|" else sign for sign in url)


def _words(kept: Cited) -> str:
    """The words around the searches, with their marks; their end stays as it is."""
    found = [part.lstrip("\n") for part in kept.parts if isinstance(part, str)]
    return "\n\n".join([*(part.rstrip() for part in found[:-1]), *found[-1:]])
