from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.sources.claude.eventstream import EventTooLong, Parsed, Parser


def parsed(*pieces: bytes) -> list[Parsed]:
    parser = Parser()
    return [event for piece in pieces for event in parser.feed(piece)]


def by_the_standard(stream: bytes) -> list[Parsed]:
    """The standard's algorithm, line by line over the whole stream."""
    events: list[Parsed] = []
    name, data = b"", list[bytes]()
    for line in (
        stream.removeprefix(b"\xef\xbb\xbf")
        .replace(b"\r\n", b"\n")
        .replace(b"\r", b"\n")
        .split(b"\n")[:-1]
    ):
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if not line:
            events += [(name, b"\n".join(data))] if data else []
            name, data = b"", list[bytes]()
        elif field == b"event":
            name = value
        elif field == b"data":
            data.append(value)
    return events


EXAMPLES = {
    "one event of three lines": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [(b"", b"YHOO\n+2\n10")]),
    "a comment, ids, and a space that belongs to the data": (
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third"
            b" event\n\n"
        ),
        [(b"", b"first event"), (b"", b"second event"), (b"", b" third event")],
    ),
    "empty data, and an event that is never closed": (
        b"data\n\ndata\ndata\n\ndata:",
        [(b"", b""), (b"", b"\n")],
    ),
    "with and without the space": (
        b"data:test\n\ndata: test\n\n",
        [(b"", b"test"), (b"", b"test")],
    ),
    "the last name counts, and only for its event": (
        b"event: a\nevent: b\ndata: x\n\nevent: c\n\ndata: y\n\n",
        [(b"b", b"x"), (b"", b"y")],
    ),
}


@pytest.mark.parametrize("ends", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_standard(example: str, ends: bytes) -> None:
    """Each example has the same events with every kind of line end, in one piece and byte by
    byte."""
    stream, events = EXAMPLES[example]
    stream = stream.replace(b"\n", ends)
    assert parsed(stream) == events
    assert parsed(*(bytes([byte]) for byte in stream)) == events


BITS = [
    b"data",
    b"event",
    b"id",
    b":",
    b": ",
    b" ",
    b"x",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\xef\xbb\xbf",
]
streams = st.lists(st.sampled_from(BITS), max_size=40).map(b"".join)


@given(stream=streams, cuts=st.lists(st.integers(0, 80)))
def test_it_does_not_matter_where_a_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    """In any chunks a stream has the events that the standard finds in the whole."""
    at = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    pieces = [stream[start:end] for start, end in pairwise(at)]
    assert parsed(*pieces) == by_the_standard(stream)


@pytest.mark.parametrize("piece", [b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b"\r", b""])
def test_a_partial_mark_or_line_end_loses_nothing(piece: bytes) -> None:
    """A stream that ends within a byte order mark or a line end has no events; one that goes on
    keeps its own."""
    assert parsed(piece) == []
    assert parsed(piece, b"", b"\n\ndata: x\n\n") == by_the_standard(piece + b"\n\ndata: x\n\n")


def test_an_event_is_complete_with_the_cr_that_closes_it() -> None:
    """An event that ends with CR does not wait for an LF."""
    assert parsed(b"data: x\r\n\r") == [(b"", b"x")]
    assert parsed(b"data: x\r\r", b"\ndata: y\r\n\r\n") == [(b"", b"x"), (b"", b"y")]


def test_an_event_without_an_end_does_not_fill_the_memory() -> None:
    """An endless event is given up at a bound; a long stream of short events is not."""
    parser = Parser(max_event=100)
    assert (
        len([event for _ in range(100) for event in parser.feed(b"data: " + b"x" * 80 + b"\n\n")])
        == 100
    )
    with pytest.raises(EventTooLong):
        fill(parser)


def fill(parser: Parser) -> None:
    while True:
        parser.feed(b"data: x\n")
