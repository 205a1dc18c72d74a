"""Puts a reply's words, searches and citations together as the text that is kept."""

from dataclasses import replace

from streamchat.citations import (
    LONGEST_AGE,
    LONGEST_QUERY,
    LONGEST_QUOTE,
    LONGEST_TITLE,
    address,
    line,
)
from streamchat.events import Citation, Found, FoundPage, Search
from streamchat.ui.cited import (
    MARK,
    Cited,
    Look,
    attached,
    citations_block,
    has_marks,
    mark,
    read,
    search_block,
)
from streamchat.ui.content import plain

# of one answer, whatever its log has
MOST_MARKS = 300
MOST_SEARCHES = 30
# of one search
MOST_PAGES = 10
# marks at one place
TOGETHER = 8
# characters of all sources and pages, which are drawn anew with each frame
MOST_CHARACTERS = 200_000


class Composing:
    """`begun` is the kept text of an answer that goes on."""

    def __init__(self, begun: str = "") -> None:
        kept = read(begun)
        self._parts: list[str | Look] = list(kept.parts)
        self._citations: list[Citation] = list(kept.citations)
        # those at the place where the text ends
        self._here: set[int] = set()
        self._marks = len(MARK.findall(begun))
        # of the sources of what was begun
        self._numbers: dict[object, int] = {}
        for each in kept.citations:
            self._numbers.setdefault(_source(each), each.number)
        self._goes_on = bool(self._numbers)
        self._room = MOST_CHARACTERS - _length(kept)

    def say(self, text: str) -> None:
        words = plain(text)
        if self._parts and isinstance(self._parts[-1], Look):
            words = words.lstrip()
        if words:
            self._parts.append(words)
        if words.strip():
            self._here.clear()

    def look(self, search: Search) -> None:
        if sum(isinstance(part, Look) for part in self._parts) < MOST_SEARCHES:
            self._parts.append(Look(replace(search, query=line(search.query, LONGEST_QUERY))))

    def find(self, found: Found) -> None:
        """Completes the search of that number."""
        for place, part in reversed(list(enumerate(self._parts))):
            if isinstance(part, Look) and not part.found and part.search.number == found.number:
                few = filter(self._takes, map(_bounded, found.sources[:MOST_PAGES]))
                self._parts[place] = Look(part.search, replace(found, sources=tuple(few)))
                return

    def cite(self, citation: Citation) -> None:
        """Marks the end of the text. The same source has one mark at one place."""
        numbered = self._numbered(citation)
        if self._marks == MOST_MARKS or len(self._here) == TOGETHER:
            return
        is_known = numbered in self._citations
        if numbered.number in self._here or not (is_known or self._takes(numbered)):
            return
        if not (text := self._last_words()):
            return
        self._here.add(numbered.number)
        self._marks += 1
        if not is_known:
            self._citations.append(numbered)
        self._parts.append(attached(text, mark(self._citations.index(numbered))))

    def text(self, *, is_whole: bool) -> str:
        """All of it so far; `is_whole` at the end of the reply."""
        parts = (part if isinstance(part, str) else search_block(part) for part in self._parts)
        body = "".join(parts)
        if not self._citations and (is_whole or not has_marks(body)):
            return body
        return body + citations_block(self._citations, is_whole=is_whole)

    def _takes(self, source: Citation | FoundPage) -> bool:
        """Whether there is room for one more source, which then is taken."""
        has_room = source.length <= self._room
        self._room -= source.length * has_room
        return has_room

    def _last_words(self) -> str:
        """Takes the words since the last search off the end."""
        words: list[str] = []
        while self._parts and isinstance(part := self._parts[-1], str):
            words.append(part)
            self._parts.pop()
        return "".join(reversed(words))

    def _numbered(self, given: Citation) -> Citation:
        """The citation with its number here, and with words that any source may have sent."""
        citation = replace(
            given,
            url=address(given.url),
            title=line(given.title, LONGEST_TITLE),
            quote=line(given.quote, LONGEST_QUOTE),
        )
        return replace(citation, number=self._number(citation))

    def _number(self, citation: Citation) -> int:
        if not self._goes_on:
            return citation.number
        highest = max(self._numbers.values())
        return self._numbers.setdefault(_source(citation), highest + 1)


def _bounded(page: FoundPage) -> FoundPage:
    title, age = line(page.title, LONGEST_TITLE), line(page.age, LONGEST_AGE)
    return FoundPage(address(page.url), title, age)


def _length(kept: Cited) -> int:
    """The characters of all sources and pages."""
    found = (part.found for part in kept.parts if isinstance(part, Look))
    pages = sum(each.length for each in found if each)
    return pages + sum(each.length for each in kept.citations)


def _source(citation: Citation) -> object:
    return citation.url or (citation.title, citation.document)
