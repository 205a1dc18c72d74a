"""Searches of the web within an answer, and the sources that it names."""

from collections.abc import Callable


def searched(query: str, pages: int) -> str:
    return f"Searched for “{query}” · {pages} page{'' if pages == 1 else 's'}"


def sources(count: int) -> str:
    return f"{count} sources"


def cited_pages(first: int, last: int) -> str:
    return f"page {first}" if last <= first else f"pages {first} to {last}"


SENTENCES: dict[str, str | Callable[..., str]] = {
    "searching": "Searching for “{query}”",
    "searched": searched,
    "nothing_found": "Searched for “{query}” · nothing found",
    "searched_in_vain": "Search for “{query}” · {why}",
    "sources": sources,
    "few_sources": "Sources",
    "cited_pages": cited_pages,
    "cited_passage": "“{quote}”",
}
