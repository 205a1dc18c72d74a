import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from streamchat import errors
from streamchat.events import Done, Text, Thinking, Usage
from tests.scripted_claude import (
    CLOSES,
    PING,
    Script,
    ScriptedClaude,
    breaks,
    delta,
    ends,
    event,
    opening,
    opens,
    streams,
    thought,
)
from tests.scripted_claude import start as begins
from tests.test_claude import a_claude, answer, text

ANSWER = [begins(), PING, opens(), delta("Grüße"), b": a comment\n\n", delta(" 🌍"), CLOSES, ends()]


def in_pieces(stream: bytes, size: int) -> Script:
    return streams(*(stream[at : at + size] for at in range(0, len(stream), size)))


def nameless(stream: bytes) -> bytes:
    return re.sub(rb"(?m)^event: .*\n", b"", stream)


def starting(kind: str, **said: Any) -> bytes:
    return event("content_block_start", index=0, content_block={"type": kind, **said})


WRITINGS: dict[str, Callable[[bytes], bytes]] = {
    "CR": lambda stream: stream.replace(b"\n", b"\r"),
    "CRLF": lambda stream: stream.replace(b"\n", b"\r\n"),
    "CR after LF": lambda stream: stream.replace(b"\n\n", b"\n\r"),
    "all kinds of line ends": lambda stream: stream.replace(b"\ndata", b"\rdata").replace(
        b"}\n\n", b"}\r\n\n"
    ),
    "no names": nameless,
    "no names, CR": lambda stream: nameless(stream).replace(b"\n", b"\r"),
    "the default name": lambda stream: re.sub(rb"(?m)^event: .*$", b"event: message", stream),
    "names without types": lambda stream: re.sub(
        rb'"type": "(message|content_block)_\w+", ', b"", stream
    ),
    "byte order mark": lambda stream: b"\xef\xbb\xbf" + stream,
    "byte order mark, CRLF, no names": lambda stream: (
        b"\xef\xbb\xbf" + nameless(stream).replace(b"\n", b"\r\n")
    ),
    "no spaces": lambda stream: stream.replace(b"event: ", b"event:").replace(b"data: ", b"data:"),
    "data on several lines": lambda stream: stream.replace(b', "index"', b',\ndata: "index"'),
    "the end of other streams": lambda stream: nameless(stream) + b"data: [DONE]\n\n",
}


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize("writing", WRITINGS)
async def test_every_legal_way_of_writing_a_stream_is_read(
    claude: ScriptedClaude, writing: str, size: int
) -> None:
    """Line ends, names, spaces and marks may be as the standard allows: the answer and its counts
    are the same."""
    claude.play(in_pieces(WRITINGS[writing](b"".join(ANSWER)), size))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    assert (text(said), error, pauses) == ("Grüße 🌍", None, [])
    assert said[-1] == Done("end_turn", Usage(25, 42))


@pytest.mark.parametrize(
    "data", [b"[DONE]", b"ok", b"[]", b"{}", b'{"type": "ping"}', b'{"choices": []}']
)
async def test_foreign_events_without_a_name_are_ignored(
    claude: ScriptedClaude, data: bytes
) -> None:
    """Events that a gateway adds to a stream without event names break no answer."""
    claude.play(
        streams(nameless(begins()), b"data: " + data + b"\n\n", nameless(delta("a") + ends()))
    )
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    assert (text(said), error, pauses) == ("a", None, [])


@pytest.mark.parametrize(
    "failure",
    [nameless(breaks()), b'data: {"error": {"type": "overloaded_error", "message": "x"}}\n\n'],
)
async def test_a_failure_without_a_name_is_one(claude: ScriptedClaude, failure: bytes) -> None:
    """An error event without a name is recognised by its data."""
    claude.play(streams(nameless(begins()), failure))
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
    assert type(error) is errors.Busy


@pytest.mark.parametrize(
    "data", [b'{"type": "content_block_delta", "ind', b'{"a":' * 100_000, b'{"\xff": 1}']
)
async def test_a_nameless_event_that_is_cut_is_not_passed_over(
    claude: ScriptedClaude, data: bytes
) -> None:
    """A truncated event without a name is an error, because it may have had a word."""
    claude.play(streams(nameless(begins()), b"data: " + data + b"\n\n", nameless(ends())))
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
    assert type(error) is errors.Unreadable


@pytest.mark.parametrize("deltas", [["there."], ["", "there", "."], []])
async def test_a_block_may_begin_with_text(claude: ScriptedClaude, deltas: list[str]) -> None:
    """Text in `content_block_start` is the beginning of the answer, or of the thoughts."""
    thinking = [starting("thinking", thinking="Greet ", signature=""), thought("back."), CLOSES]
    claude.play(
        streams(
            begins(),
            *thinking,
            starting("text", text="Hello, "),
            *map(delta, deltas),
            CLOSES,
            ends(),
        )
    )
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("Hello, " + "".join(deltas), None)
    assert "".join(event.text for event in said if isinstance(event, Thinking)) == "Greet back."


@pytest.mark.parametrize(
    "block", [None, {"type": "tool_use", "id": "x"}, {"type": "future", "text": "x"}]
)
async def test_other_blocks_have_no_text(
    claude: ScriptedClaude, block: dict[str, str] | None
) -> None:
    """A block of another kind adds nothing to the answer."""
    claude.play(
        streams(
            begins(), event("content_block_start", index=0, content_block=block), delta("a"), ends()
        )
    )
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("a", None)


def escaped(*pieces: str) -> list[bytes]:
    """Text deltas with every letter beyond ASCII as JSON's escapes, as halves of a character have
    to be."""
    data = (
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": piece}}
        for piece in pieces
    )
    return [f"event: content_block_delta\ndata: {json.dumps(it)}\n\n".encode() for it in data]


HALVES = {
    "in two deltas": (["grin \ud83d", "\ude00 face"], "grin 😀 face"),
    "one half each": (["\ud83d", "\ude00", "\ud83d", "\ude00"], "😀😀"),
    "with nothing in between": (["\ud83d", "", "\ude00"], "😀"),
    "in one delta": (["\ud83d\ude00"], "😀"),
    "the second never comes": (["grin \ud83d"], "grin \ufffd"),
    "another letter comes instead": (["\ud83d", "x"], "\ufffdx"),
    "another first half comes instead": (["\ud83d", "\ud83d", "\ude00"], "\ufffd😀"),
    "the first never came": (["a\ude00", "b"], "a\ufffdb"),
}


@pytest.mark.parametrize("halves", HALVES)
async def test_a_character_may_come_in_two_halves(claude: ScriptedClaude, halves: str) -> None:
    """The half that comes first waits for the other one, so that no reader ever gets half a
    character."""
    pieces, whole = HALVES[halves]
    claude.play(streams(begins(), opens(), *escaped(*pieces), CLOSES, ends()))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == (whole, None)
    assert all(event.text.encode() for event in said if isinstance(event, Text))


async def test_halves_of_thoughts_are_joined_too(claude: ScriptedClaude) -> None:
    """A half of a thought does not run into the answer."""
    halves = [
        piece.replace(b"text", b"thinking") for piece in escaped("a \ud83d", "\ude00", "\ud83d")
    ]
    claude.play(
        streams(
            begins(),
            opens("thinking"),
            *halves,
            CLOSES,
            opens(),
            *escaped("\ude00x"),
            CLOSES,
            ends(),
        )
    )
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert [event for event in said if not isinstance(event, Usage)][:-1] == [
        Thinking("a "), Thinking("😀"), Text("\ufffdx"),
    ]  # fmt: skip
    assert error is None


@pytest.mark.parametrize("count", ["25", -1, 2.5, None, [1]])
async def test_an_invalid_count_is_ignored(claude: ScriptedClaude, count: object) -> None:
    """A gateway's malformed usage breaks no answer."""
    start = begins().replace(b'"input_tokens": 25', f'"input_tokens": {json.dumps(count)}'.encode())
    claude.play(streams(start, delta("a"), ends()))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (error, said[-1]) == (None, Done("end_turn", Usage(0, 42)))


REASONS = {
    "future_reason": "future_reason",
    "tool_use": "tool_use",
    "stopped": "unknown",
    "shutdown": "unknown",
    "<b>no reason</b>": "unknown",
    "": "end_turn",
}


@pytest.mark.parametrize("reason", REASONS)
async def test_a_stop_reason_is_claudes_or_unknown(claude: ScriptedClaude, reason: str) -> None:
    """A reason with one of our own names, or with more than a name, becomes "unknown"."""
    claude.play(streams(begins(), delta("Half an answer, and then"), ends(reason)))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (error, said[-1]) == (None, Done(REASONS[reason], Usage(25, 42)))


@pytest.mark.parametrize("reason", [5, ["end_turn"], {"type": "end_turn"}])
async def test_a_stop_reason_that_is_no_text_is_unknown(
    claude: ScriptedClaude, reason: Any
) -> None:
    """The answer ends as with a reason that does not exist yet."""
    claude.play(streams(begins(), delta("a"), ends(reason)))
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert said[-1] == Done("unknown", Usage(25, 42))


async def test_a_stream_without_line_ends_is_given_up(claude: ScriptedClaude) -> None:
    """An endless event is unreadable, and does not fill the memory."""
    claude.play([opening(), *[b"data: " + b"x" * 1_000_000] * 40])
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
    assert type(error) is errors.Unreadable
