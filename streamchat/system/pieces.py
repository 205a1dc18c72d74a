"""JSON of many megabytes, written and read in short steps, between which other tasks or threads get
turns.

The C code of `json` keeps Python's lock until it is done. The parser in Python makes the same
values, and calls C for one string or number at a time.
"""

import codecs
import json
from collections.abc import Iterator
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

# characters of a text that are written at once
PIECE = 16_000
# bytes that are decoded at once
PART = 1_000_000


def written(value: Any) -> Iterator[str]:
    """The value as JSON without spaces, in short pieces."""
    match value:
        case dict():
            yield from _listed("{}", (_entry(*each) for each in value.items()))
        case list() | tuple():
            yield from _listed("[]", map(written, value))
        case str():
            yield '"'
            for start in range(0, len(value), PIECE):
                yield as_json(value[start : start + PIECE])[1:-1]
            yield '"'
        case _:
            yield as_json(value)


def _listed(brackets: str, entries: Iterator[Iterator[str]]) -> Iterator[str]:
    yield brackets[0]
    for number, entry in enumerate(entries):
        if number:
            yield ","
        yield from entry
    yield brackets[1]


def _entry(name: str, value: Any) -> Iterator[str]:
    yield f"{as_json(name)}:"
    yield from written(value)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class Decoder(json.JSONDecoder):
    """Gives other threads turns."""

    def __init__(self) -> None:
        super().__init__()
        self.scan_once = py_make_scanner(self)


def parsed(body: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises `ValueError` or `RecursionError`."""
    return Decoder().decode("".join(_decoded(body)))


def _decoded(body: bytes) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    for start in range(0, len(body), PART):
        yield decode(body[start : start + PART])
    yield decode(b"", final=True)
