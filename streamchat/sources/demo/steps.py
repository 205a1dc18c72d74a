"""The steps of a prepared answer beside its words: searches, citations and pauses.

They stand in its text as comments: `<!-- search words -->`, `<!-- search-fails words -->`,
`<!-- cite 1 2 -->`, which names pages by their place, and `<!-- pause -->`. All pages are invented.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from streamchat.events import Citation, Event, Found, FoundPage, Notice, Search

STEP = re.compile(r"<!-- (search-fails|search|pause|cite) ?([^<>]*?) -->(?:(?<!\d -->)\n\n)?")
# seconds that a search takes, and a pause
SEARCHING = 2.5
PAUSING = 4.0

PAGES = tuple(
    FoundPage(*each)
    for each in json.loads((Path(__file__).parent / "answers" / "pages.json").read_text("utf-8"))
)
Timed = tuple[Event, float]


def steps(text: str) -> Iterator[str | Timed]:
    """The words between the steps, and each event with the seconds that follow it."""
    at, searches = 0, 0
    # of the cited pages, in the order of their first citation
    numbers: dict[int, int] = {}
    for found in STEP.finditer(text):
        yield text[at : found.start()]
        at = found.end()
        kind, words = found.groups()
        searches += kind.startswith("search")
        if kind == "cite":
            yield from _citations(map(int, words.split()), numbers)
        else:
            yield from _events(kind, words, searches)
    yield text[at:]


def without(text: str) -> str:
    """The words alone."""
    return STEP.sub("", text)


def _events(kind: str, words: str, searches: int) -> Iterator[Timed]:
    match kind:
        case "search":
            yield Search(searches, words), SEARCHING
            yield Found(searches, PAGES), 0.5
        case "search-fails":
            yield Search(searches, words), SEARCHING
            yield Found(searches, failure="search_unavailable"), 0.5
        case "pause":
            yield Notice("claude_paused", passing=True), PAUSING


def _citations(places: Iterable[int], numbers: dict[int, int]) -> Iterator[Timed]:
    for place in places:
        page = PAGES[place - 1]
        yield Citation(numbers.setdefault(place, len(numbers) + 1), page.url, page.title), 0
