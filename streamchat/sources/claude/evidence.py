"""Searches, their results and citations as events, numbered over one reply with all its calls.

Shapes: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool and
https://platform.claude.com/docs/en/build-with-claude/citations
"""

from dataclasses import replace
from typing import Any

from streamchat.citations import (
    LONGEST_AGE,
    LONGEST_QUERY,
    LONGEST_QUOTE,
    LONGEST_TITLE,
    MOST_CITATIONS,
    MOST_PAGES,
    MOST_SEARCHES,
    Citation,
    Found,
    FoundPage,
    Kind,
    Search,
    address,
    count,
    line,
)

Block = dict[str, Any]

RESULT = "web_search_tool_result"
# Claude's codes and ours
FAILURES = {
    "max_uses_exceeded": "too_many_searches",
    "query_too_long": "query_too_long",
    "request_too_large": "query_too_long",
    "invalid_tool_input": "query_rejected",
    "too_many_requests": "searches_too_frequent",
}
UNAVAILABLE, CUT_OFF = "search_unavailable", "search_cut_off"
# Claude's places in documents, our kinds, and the fields with their bounds: the second is the first
# that does not belong to the place
PLACES: dict[str, tuple[Kind, str, str]] = {
    "page_location": ("page", "start_page_number", "end_page_number"),
    "char_location": ("characters", "start_char_index", "end_char_index"),
    "content_block_location": ("blocks", "start_block_index", "end_block_index"),
}


class Evidence:
    """Numbers the searches and sources of one reply. Events over a bound are None."""

    def __init__(self) -> None:
        self._searches = 0
        # numbers of searches without results, by Claude's ids
        self._pending: dict[str, int] = {}
        self._sources: dict[tuple[object, ...], int] = {}
        self._citations = 0

    def search(self, block: Block) -> Search | None:
        """The search of a block whose input is complete."""
        if block.get("name") != "web_search" or self._searches >= MOST_SEARCHES:
            return None
        self._searches += 1
        self._pending[str(block.get("id"))] = self._searches
        asked = block.get("input")
        query = asked.get("query") if isinstance(asked, dict) else ""
        return Search(self._searches, line(query, LONGEST_QUERY))

    def found(self, block: Block) -> Found | None:
        """The results of a search, which may have begun in a call before."""
        number = self._pending.pop(str(block.get("tool_use_id")), None)
        if number is None:
            return None
        content = block.get("content")
        if isinstance(content, list):
            pages = [page for given in content[:MOST_PAGES] if (page := _page(given))]
            return Found(number, tuple(pages))
        code = content.get("error_code") if isinstance(content, dict) else None
        return Found(number, failure=FAILURES.get(str(code), UNAVAILABLE))

    def cut_off(self) -> list[Found]:
        """The ends of the searches whose results will not come."""
        ended = [Found(number, failure=CUT_OFF) for number in self._pending.values()]
        self._pending.clear()
        return ended

    def cited(self, given: Any) -> Citation | None:
        """A citation of the web or of a document; None for one that leads nowhere."""
        if not isinstance(given, dict) or self._citations >= MOST_CITATIONS:
            return None
        # also of those that lead nowhere, for each takes time
        self._citations += 1
        kind = given.get("type")
        found = _of_web(given) if kind == "web_search_result_location" else _of_document(given)
        if found is None:
            return None
        place = (found.url, found.document, found.kind, found.first, found.last)
        number = self._sources.setdefault(place, len(self._sources) + 1)
        return replace(found, number=number)


def _page(given: Any) -> FoundPage | None:
    if not isinstance(given, dict) or not (url := address(given.get("url"))):
        return None
    title, age = line(given.get("title"), LONGEST_TITLE), line(given.get("page_age"), LONGEST_AGE)
    return FoundPage(url, title, age)


def _of_web(given: Block) -> Citation | None:
    url = address(given.get("url"))
    title, quote = line(given.get("title"), LONGEST_TITLE), _quote(given)
    return Citation(0, url, title, quote) if url else None


def _of_document(given: Block) -> Citation | None:
    if not (place := PLACES.get(str(given.get("type")))):
        return None
    kind, begin, end = place
    first = count(given.get(begin))
    last = max(first, count(given.get(end)) - 1)
    title = line(given.get("document_title"), LONGEST_TITLE)
    document = count(given.get("document_index"))
    return Citation(0, "", title, _quote(given), document, kind, first, last)


def _quote(given: Block) -> str:
    return line(given.get("cited_text"), LONGEST_QUOTE)
