"""The usage assumed for a call is never less than Claude's bill, wherever its stream ends."""

import json
import math
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from itertools import chain

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.errors import Unreadable
from streamchat.events import Message, Request, Usage
from streamchat.meter import (
    FASTEST,
    MARKS,
    RESULT_TOKENS,
    Meter,
    fastest,
    input_tokens,
    length,
)
from streamchat.money.prices import Prices
from streamchat.sources.claude.deadlines import Deadlines
from streamchat.sources.claude.measuring import measure
from streamchat.sources.claude.wire import sent
from tests.hand import Ticking
from tests.scripted_claude import CLOSES, PING, delta, ends, event, opens, start, thought

PRICES = Prices("claude-sonnet-5-5")
QUESTION = (Message("user", "Why is the sky blue? " * 20),)
MAX_TOKENS = 1_000
MOST = PRICES.most(QUESTION, "", MAX_TOKENS)
# tokens per second, faster than Claude writes in these tests
SPEED = 100.0
REDACTED = event(
    "content_block_start", index=0, content_block={"type": "redacted_thinking", "data": "EqQB"}
)
SIGNED = event(
    "content_block_delta", index=0, delta={"type": "signature_delta", "signature": "EqQB"}
)
UNKNOWN = event(
    "content_block_start", index=0, content_block={"type": "reasoning_9", "data": "EqQB"}
)


@dataclass(frozen=True)
class Piece:
    """Bytes of a stream, and the tokens that Claude generates for them."""

    data: bytes
    tokens: int = 0


@dataclass(frozen=True)
class Stream:
    """All that Claude sends, and what it charges for it."""

    taken: Usage
    pieces: list[Piece] = field(default_factory=list)

    @property
    def whole(self) -> list[Piece]:
        counts = {
            "cache_creation_input_tokens": "cache_write_tokens",
            "cache_read_input_tokens": "cache_read_tokens",
        }
        usage = {name: getattr(self.taken, ours) for name, ours in counts.items()}
        first = Piece(start(input_tokens=self.taken.input_tokens, **usage))
        total = sum(piece.tokens for piece in self.pieces)
        last = ends(output_tokens=total).partition(b"\n\n")
        return [first, *self.pieces, Piece(last[0] + last[1]), Piece(last[2])]

    @property
    def data(self) -> bytes:
        return b"".join(piece.data for piece in self.whole)

    def bill(self, cut: int, seconds: float, speed: float) -> Usage:
        """The tokens generated for the first `cut` bytes or in that many seconds, whichever is
        more."""
        position, sent_tokens, total = 0, 0, 0
        for piece in self.whole:
            total += piece.tokens
            sent_tokens += piece.tokens if position < cut else 0
            position += len(piece.data)
        return replace(self.taken, output_tokens=min(total, max(sent_tokens, int(seconds * speed))))


def inputs() -> st.SearchStrategy[Usage]:
    """Every split of the prompt between input and cache; a token is at least a byte."""
    part = st.integers(0, length(QUESTION[0].text) // 3)
    return st.builds(lambda new, kept, read: Usage(new + 1, 0, kept, read), part, part, part)


def texts() -> st.SearchStrategy[list[Piece]]:
    text = st.text(min_size=1, max_size=40).map(lambda said: Piece(delta(said), length(said)))
    return st.lists(text, max_size=5).map(lambda said: [Piece(opens()), *said, Piece(CLOSES)])


def thoughts() -> st.SearchStrategy[list[Piece]]:
    """Thoughts that are sent in part, or not at all."""
    shown = st.sampled_from([thought("Hm."), SIGNED, REDACTED, UNKNOWN, PING])
    return st.builds(
        lambda hidden, pieces: [
            Piece(opens("thinking")),
            Piece(PING, hidden),
            *map(Piece, pieces),
            Piece(CLOSES),
        ],
        st.integers(0, MAX_TOKENS // 4),
        st.lists(shown, max_size=3),
    )


def streams() -> st.SearchStrategy[Stream]:
    blocks = st.lists(texts() | thoughts(), max_size=4).map(
        lambda blocks: list(chain.from_iterable(blocks))
    )
    fit = blocks.filter(lambda pieces: sum(piece.tokens for piece in pieces) <= MAX_TOKENS)
    return st.builds(Stream, inputs(), fit)


class Body(httpx2.AsyncByteStream):
    """The first bytes of a stream in chunks of one size, which arrive while the clock runs to its
    end."""

    def __init__(self, data: bytes, size: int, clock: Ticking, seconds: float) -> None:
        self._parts = [data[at : at + size] for at in range(0, len(data), size)]
        self._clock = clock
        self._seconds = seconds

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        for part in self._parts:
            self._clock.now += self._seconds / (len(self._parts) + 1)
            yield part


async def metered(
    data: bytes, *, size: int = 1_000, seconds: float = 0, events: int | None = None
) -> Meter:
    """The meter of a call whose stream ended after these bytes, or whose reader left after so many
    events."""
    clock = Ticking()
    meter = Meter(MOST, speed=SPEED, clock=clock)
    with suppress(StopAsyncIteration, Unreadable, json.JSONDecodeError, UnicodeDecodeError):
        response = httpx2.Response(200, stream=Body(data, size, clock, seconds))
        deadlines = Deadlines(silence=math.inf, reply=math.inf)
        async with aclosing(sent(response, meter, deadlines, Request(()).wanted)) as raws:
            read = 0
            while read != events:
                await anext(raws)
                read += 1
    clock.now = seconds
    meter.close()
    clock.now += 1_000
    return meter


@given(
    stream=streams(),
    share=st.floats(0, 1),
    size=st.integers(1, 400),
    seconds=st.floats(0, 20),
    events=st.none() | st.integers(0, 10),
)
async def test_no_prefix_of_a_stream_is_settled_below_the_bill(
    stream: Stream, share: float, size: int, seconds: float, events: int | None
) -> None:
    """A stream cut at any byte and any time, with or without a reader, is settled at no less than
    the bill and no more than the reservation."""
    cut = round(len(stream.data) * share)
    meter = await metered(stream.data[:cut], size=size, seconds=seconds, events=events)
    # what its reader did not take from the connection was generated nonetheless, but no faster than
    # Claude writes
    arrived = cut if events is None else 0
    bill = stream.bill(arrived, seconds, speed=SPEED * 0.99)
    assert PRICES.cost(bill) <= PRICES.cost(meter.used()) <= PRICES.cost(MOST)


@given(streams())
async def test_a_whole_stream_is_settled_at_claudes_count(stream: Stream) -> None:
    """With Claude's final count nothing is assumed."""
    meter = await metered(stream.data, seconds=20)
    assert meter.used() == meter.counted == stream.bill(len(stream.data), 0, 0)


def reservation(**changed: int) -> Usage:
    return replace(MOST, **changed)


@pytest.mark.parametrize("hint", [opens("thinking"), REDACTED, thought("Hm."), SIGNED, UNKNOWN])
async def test_once_claude_thinks_all_of_max_tokens_is_assumed(hint: bytes) -> None:
    """A summary, a signature or a redacted block does not show how many tokens were thought."""
    meter = await metered(start() + hint)
    assert meter.used() == Usage(25, MAX_TOKENS)


async def test_an_event_of_thinking_that_was_cut_off_counts() -> None:
    """Half an event is enough to know that Claude has begun to think."""
    meter = await metered(start() + opens("thinking")[:-20])
    assert meter.used() == Usage(25, MAX_TOKENS)


async def test_thoughts_that_arrived_and_were_not_read_count() -> None:
    """Events that arrived in the same packet count even if their reader left before them."""
    meter = await metered(start() + opens() + opens("thinking"), events=1)
    assert meter.used() == Usage(25, MAX_TOKENS)


async def test_the_final_count_holds_whatever_breaks_after_it() -> None:
    """After the final count nothing is assumed, even for thoughts."""
    last = ends(output_tokens=640).partition(b"\n\n")[0] + b"\n\n"
    meter = await metered(
        start() + opens("thinking") + thought("Hm.") + last + b"event: mess", seconds=60
    )
    assert meter.used() == meter.counted == Usage(25, 640)


async def test_a_count_on_the_way_is_not_the_last_one() -> None:
    """A count without a stop reason is not final."""
    count = event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 7})
    meter = await metered(start() + opens() + delta("a" * 50) + count)
    assert meter.used() == Usage(25, 50 + 2 * MARKS)


@pytest.mark.parametrize("counted", [0, 1, 3])
async def test_a_count_that_the_text_belies_is_none(counted: int) -> None:
    """If a gateway counts no tokens, or only the first one, the text counts."""
    meter = await metered(start() + opens() + delta("a" * 200) + ends(output_tokens=counted))
    assert meter.used().output_tokens == 200 + 2 * MARKS


async def test_an_answer_without_any_count_is_settled_at_the_bound() -> None:
    """A gateway without counts makes nothing free."""
    body = event("message_start", message={"id": "m", "content": []}) + opens() + delta("a" * 50)
    meter = await metered(
        body + event("message_delta", delta={"stop_reason": "end_turn"}) + event("message_stop")
    )
    assert meter.used() == reservation(output_tokens=50 + 2 * MARKS)


async def test_silence_is_charged_for_its_time() -> None:
    """A dead connection may have lost everything that Claude wrote in the meantime."""
    assert (await metered(b"", seconds=4)).used() == reservation(output_tokens=400)
    assert (await metered(start(), seconds=4)).used() == Usage(25, 400)
    assert (await metered(start(), seconds=400)).used() == Usage(25, MAX_TOKENS)


FOUND = [{"encrypted_content": 1_000 * "A"}]
SEARCH = [
    start(input_tokens=900),
    opens(),
    delta("I'll look that up."),
    CLOSES,
    event(
        "content_block_start",
        index=1,
        content_block={"type": "server_tool_use", "name": "web_search", "input": {}},
    ),
    event(
        "content_block_delta",
        index=1,
        delta={"type": "input_json_delta", "partial_json": '{"query": "Shannon"}'},
    ),
    CLOSES,
    event(
        "content_block_start",
        index=2,
        content_block={"type": "web_search_tool_result", "content": FOUND},
    ),
    CLOSES,
]
SEARCHED = {
    "input_tokens": 9_281,
    "output_tokens": 97,
    "server_tool_use": {"web_search_requests": 2},
}
PAUSED = event("message_delta", delta={"stop_reason": "pause_turn"}, usage=SEARCHED) + event(
    "message_stop"
)


async def test_a_search_is_counted_as_claude_counts_it() -> None:
    """Searches have their own price, and their results are input in the final count."""
    meter = await metered(b"".join(SEARCH) + PAUSED)
    assert meter.used() == Usage(9_281, 97, web_searches=2)
    assert PRICES.cost(meter.used()) == pytest.approx(PRICES.cost(Usage(9_281, 97)) + 0.02)


@pytest.mark.parametrize(("number", "results"), [(5, RESULT_TOKENS), (7, RESULT_TOKENS), (9, 532)])
async def test_an_interrupted_search_is_settled_at_its_results(number: int, results: int) -> None:
    """The count at the start does not include what Claude reads since: everything once more with
    the results, which are bounded by their bytes once they are there."""
    used = (await metered(b"".join(SEARCH[:number]))).used()
    again = input_tokens(used) - 900
    assert used.web_searches == 1
    assert again >= 900 + results
    assert again <= 900 + results + used.output_tokens


SEARCHES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3_000)), min_size=1, max_size=4)


@given(SEARCHES, st.integers(1, 200), st.integers(0, 40), st.integers(2, 4))
async def test_no_prefix_of_searches_is_settled_below_the_bill(
    searches: list[tuple[int, int]], prompt: int, cut: int, token: int
) -> None:
    """Claude reads everything once more after each result: wherever the stream ends, that much is
    counted, and the fee of each search that began."""
    events, bills = [start(input_tokens=prompt)], [Usage(prompt)]
    read, known = prompt, prompt
    for number, (words, size) in enumerate(searches, 1):
        text, result = "x" * words, [{"encrypted_content": "A" * size}]
        looking = {"type": "server_tool_use", "name": "web_search", "input": {}}
        found = {"type": "web_search_tool_result", "content": result}
        events += [
            delta(text),
            event("content_block_start", index=0, content_block=looking),
            event("content_block_start", index=0, content_block=found),
        ]
        known += words + size // token
        bills += [Usage(read), Usage(read, web_searches=number)]
        read += known
        bills.append(Usage(read, web_searches=number))
    end = min(cut, len(events))
    used = (await metered(b"".join(events[:end]))).used()
    if end:
        assert input_tokens(used) >= input_tokens(bills[end - 1])
        assert used.web_searches >= bills[end - 1].web_searches


async def test_a_count_that_is_no_number_is_passed_over() -> None:
    """A gateway's `true` in place of a number has no price, and would keep a reply from ending."""
    odd = {"output_tokens": 9, "server_tool_use": {"web_search_requests": True}}
    data = event("message_delta", delta={"stop_reason": "end_turn"}, usage=odd)
    assert (await metered(start() + data)).used() == Usage(25, 9)


async def test_unknown_blocks_count_at_the_bound() -> None:
    """A block of an unknown kind may stand for tokens that are not sent."""
    fallback = event(
        "content_block_start", index=1, content_block={"type": "fallback", "from": {}, "to": {}}
    )
    assert (await metered(start() + fallback)).used() == Usage(25, MAX_TOKENS)


async def test_a_refusal_that_claude_does_not_charge_is_free_of_output() -> None:
    """Claude's own count is used even if it is zero."""
    meter = await metered(start() + ends("refusal", output_tokens=0), seconds=9)
    assert meter.used() == Usage(25, 0)


def shapeless() -> Iterator[object]:
    yield from (
        [],
        3,
        None,
        "x",
        {},
        {"type": "content_block_delta"},
        {"type": "message_start", "message": []},
    )
    yield {"type": "content_block_delta", "delta": {"type": "text_delta", "text": 3}}
    yield {"type": "content_block_start", "content_block": {"type": None}}


@pytest.mark.parametrize("raw", list(shapeless()))
def test_an_event_without_its_shape_is_unreadable(raw: object) -> None:
    """An event that a gateway has damaged raises `Unreadable` and no other error."""
    with pytest.raises(Unreadable):
        measure(raw, Meter(MOST))  # type: ignore[arg-type]


def test_every_line_of_models_has_a_speed_above_what_it_writes() -> None:
    """Dated and unknown models have a speed, too; unknown ones have the highest."""
    assert fastest("claude-sonnet-5-5-20260928") == FASTEST["sonnet"]
    assert fastest("Claude-Haiku-5-5") == FASTEST["haiku"]
    assert fastest("claude-epic-9") == max(FASTEST.values())
