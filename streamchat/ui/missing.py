"""Turns that a page shows and its tab does not keep, as those that were refused."""

from collections.abc import Collection, Iterable
from typing import TypeVar

T = TypeVar("T")

MAX_MISSING = 1_000


def kept_before(turn: int, kept: int, missing: Collection[int]) -> tuple[int, list[int]]:
    """Of a page's turns before that number: how many are kept, and the numbers of all others.

    The tab keeps so many in all. A page that shows more has others that are missing.
    """
    page, gone = range(min(turn, kept + MAX_MISSING)), set(missing)
    known = [number for number in page if number not in gone]
    return len(known), sorted({*page} - {*known[:kept]})


def place_of(turn: int, missing: Collection[int]) -> int | None:
    """Which of the kept turns the page's turn of that number is; None for one that is missing."""
    return None if turn in missing else turn - sum(number < turn for number in missing)


def on_page(kept: Iterable[T], missing: Collection[int]) -> list[T | None]:
    """What there is for each kept turn, as a list of the page's turns; None for those that are
    missing."""
    values, gone = list(kept), set(missing)
    left = iter(values)
    return [None if turn in gone else next(left, None) for turn in range(len(values) + len(gone))]
