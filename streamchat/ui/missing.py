"""Turns that a page shows and its tab does not keep, such as refused questions."""

from collections.abc import Collection, Iterable
from typing import TypeVar

T = TypeVar("T")

MAX_MISSING = 1_000


def kept_before(turn: int, kept: int, missing: Collection[int]) -> tuple[int, list[int]]:
    """The number of kept turns among the page's turns before that number, and the numbers of all
    missing ones.

    The tab keeps `kept` turns in all; any further turns of the page are missing.
    """
    page, gone = range(min(turn, kept + MAX_MISSING)), set(missing)
    known = [number for number in page if number not in gone]
    return len(known), sorted({*page} - {*known[:kept]})


def place_of(turn: int, missing: Collection[int]) -> int | None:
    """The place among the kept turns of the page's turn with that number; None for a missing
    one."""
    return None if turn in missing else turn - sum(number < turn for number in missing)


def on_page(kept: Iterable[T], missing: Collection[int]) -> list[T | None]:
    """The values of kept turns, spread over the page's turns; None for the missing ones."""
    values, gone = list(kept), set(missing)
    left = iter(values)
    return [None if turn in gone else next(left, None) for turn in range(len(values) + len(gone))]
