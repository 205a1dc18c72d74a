"""A client's preference for a media type, from its `Accept` lines (RFC 9110, 12.5.1)."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

ELEMENT = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
WEIGHT = re.compile(r";\s*q\s*=\s*([^;\s]*)", re.IGNORECASE)
NUMBER = re.compile(r"[01](\.[0-9]{0,3})?|\.[0-9]{1,3}")


class Preference(NamedTuple):
    """`quality` is from 0, refused, to 1. `named` if the type itself is listed and not only a
    `*`."""

    quality: float
    named: bool


def preference(lines: Iterable[str], media_type: str) -> Preference:
    """The preference of the most specific range that covers the type. Without a header every type
    is accepted."""
    ranges = dict(_ranges(", ".join(lines)))
    if not ranges:
        return Preference(1, named=False)
    covering = (media_type, f"{media_type.partition('/')[0]}/*", "*/*", "*")
    quality = next((ranges[name] for name in covering if name in ranges), 0)
    return Preference(quality, media_type in ranges)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Media ranges without their parameters, and their weights. Unreadable ones are skipped."""
    for element in ELEMENT.findall(accept):
        name = element.partition(";")[0].strip().lower()
        weight = WEIGHT.search(element)
        quality = weight[1] if weight else "1"
        if name and NUMBER.fullmatch(quality):
            yield name, min(float(quality), 1)
