"""Searches for an answer, the pages that they found, and the passages that it cites.

Pages, their titles and quotes are other people's words: they are bounded, on one line, and without
characters that cannot be seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

Kind = Literal["web", "page", "characters", "blocks"]

# why a search has no results; the last one if the answer ended before they came
FAILURES = (
    "too_many_searches",
    "query_too_long",
    "query_rejected",
    "searches_too_frequent",
    "search_unavailable",
    "search_cut_off",
)

LONGEST_QUERY = 500
LONGEST_TITLE = 300
LONGEST_URL = 2_000
LONGEST_HOST = 253
LONGEST_AGE = 60
LONGEST_QUOTE = 500
LONGEST_CODE = 40
# pages of one search, and searches and citations of one reply
MOST_PAGES = 20
MOST_SEARCHES = 30
MOST_CITATIONS = 300
# pages of documents, characters and blocks
LARGEST = 1_000_000_000
# what stays as it is in an address; a quote, a bracket or a space could end it
PLAIN = "/?#%&=:;@!$+,~*.-_"


@dataclass(frozen=True, slots=True)
class Search:
    """Claude searches the web; the reply's searches are counted from 1."""

    number: int
    query: str


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page that a search has found. `age` is in the search engine's words, or empty."""

    url: str
    title: str
    age: str = ""

    @property
    def site(self) -> str:
        return site(self.url)

    @property
    def length(self) -> int:
        """The number of its characters."""
        return len(self.url) + len(self.title) + len(self.age)


@dataclass(frozen=True, slots=True)
class Found:
    """The results of the search with that number, or the code of its `failure`."""

    number: int
    sources: tuple[FoundPage, ...] = ()
    failure: str = ""

    @property
    def length(self) -> int:
        """The number of its characters."""
        return sum(page.length for page in self.sources)

    @property
    def sentence(self) -> str:
        """The code of the failure's sentence in `texts`."""
        return self.failure

    @property
    def values(self) -> Mapping[str, object]:
        return {}


@dataclass(frozen=True, slots=True)
class Citation:
    """The source of the text right before. Sources are counted from 1 in a reply, and each keeps
    its number.

    One of the kind "web" has a `url`; the others are places in an attached file, whose name is the
    `title` and which is the reply's `document` with that index. The place reaches from `first` to
    `last`: pages count from 1, and characters and blocks from 0. `last` belongs to it.
    """

    number: int
    url: str
    title: str
    quote: str = ""
    document: int | None = None
    kind: Kind = "web"
    first: int = 0
    last: int = 0

    @property
    def site(self) -> str:
        return site(self.url)

    @property
    def length(self) -> int:
        """The number of its characters."""
        return len(self.url) + len(self.title) + len(self.quote)


def site(url: str) -> str:
    """The host of an address, as people know it."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def address(given: Any) -> str:
    """The address in ASCII if it leads to a web page; otherwise it is empty."""
    if not isinstance(given, str) or not given.isprintable() or len(given) > LONGEST_URL:
        return ""
    try:
        parts = urlsplit(given.strip())
        # encoding a longer one would take time
        host = (parts.hostname or "")[: LONGEST_HOST + 1].encode("idna").decode()
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    # a name before the host would pass for it
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    if len(host) > LONGEST_HOST:
        return ""
    host = f"[{host}]" if ":" in host else host
    if quote(host, safe="[:]") != host:
        return ""
    rest = parts._replace(scheme="", netloc="").geturl()
    whole = f"{parts.scheme}://{host}{port}{quote(rest, safe=PLAIN)}"
    # a part of it would lead elsewhere
    return whole if len(whole) <= LONGEST_URL else ""


def line(given: Any, longest: int) -> str:
    """The text on one line; empty for anything else. A text cut off ends with an ellipsis."""
    if not isinstance(given, str):
        return ""
    # collapsing more would take time
    words = " ".join(given[: 4 * longest].split())
    text = "".join(filter(str.isprintable, words))
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def count(given: Any) -> int:
    """The number, or 0 for what is none."""
    is_number = isinstance(given, int) and not isinstance(given, bool)
    return given if is_number and 0 <= given <= LARGEST else 0
