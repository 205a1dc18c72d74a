"""How often new text is passed on. The rule is a pure function, so that tests need not wait."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.events import Done, Text
from streamchat.replies.pace import (
    BEARABLE,
    CROWDED,
    FASTEST,
    SHORT,
    SLOWEST,
    Pace,
    gathering,
    interval,
)
from streamchat.replies.reply import Reply
from tests.hand import Hand, settle

many = st.integers(0, 100_000)
seconds = st.floats(0, 10)


@given(many, many, many, many)
def test_a_page_is_drawn_four_to_ten_times_a_second(
    messages: int, more: int, readers: int, others: int
) -> None:
    """A short conversation is smooth, and a long one or a crowd still gets four frames, as long as
    the machine keeps up."""
    few = interval(messages=messages, readers=readers, lag=BEARABLE)
    assert (
        FASTEST
        <= few
        <= interval(messages=messages + more, readers=readers + others, lag=BEARABLE)
        <= SLOWEST
    )


def test_the_bounds_are_reached() -> None:
    """One new page gets ten frames a second, each of ten pages five, a page of four hundred
    messages four."""
    assert interval(messages=0, readers=1, lag=0) == FASTEST == 0.1
    assert interval(messages=0, readers=10, lag=0) == CROWDED == 0.2
    assert interval(messages=400, readers=100, lag=0) == SLOWEST == 0.25


@given(many, many, seconds)
def test_on_a_machine_that_is_full_all_slow_down_alike(
    messages: int, readers: int, lag: float
) -> None:
    """A late event loop stretches every page's interval by the same factor, without an upper
    limit."""
    full = interval(messages=messages, readers=readers, lag=lag)
    assert full == pytest.approx(
        interval(messages=messages, readers=readers, lag=0) * max(1, lag / BEARABLE)
    )


@given(many, many, seconds)
def test_text_for_programs_gathers_only_in_a_crowd(readers: int, others: int, lag: float) -> None:
    """A few clients get each piece at once; many get a few pieces a second, and never more often as
    their number grows."""
    assert gathering(readers=2, lag=lag) == 0
    assert (
        gathering(readers=readers, lag=0) <= gathering(readers=readers + others, lag=0) <= FASTEST
    )
    assert gathering(readers=readers, lag=0) <= gathering(readers=readers, lag=lag)


def test_readers_are_counted_while_they_read() -> None:
    """A reader who leaves no longer slows the others."""
    pace = Pace()
    with pace.reader():
        with suppress(RuntimeError), pace.reader():
            assert pace.readers == 2
            raise RuntimeError
        assert pace.readers == 1
    assert pace.readers == 0


async def test_oversleeping_is_noticed_and_forgotten() -> None:
    """Late wake-ups count as a full machine until they are in time again."""
    now = [0.0, 1.0]
    pace = Pace(clock=lambda: now.pop(0))
    hand = Hand()
    reply = Reply(hand.write, linger=60)
    await pace.rest(reply, 0.0)
    assert pace.lag == pytest.approx(0.1)
    now += [1.0, 1.0]
    await pace.rest(reply, 0.0)
    assert pace.lag < 0.1
    hand.say(Text("a"), Done("end_turn"))
    await settle()
    now += [1.0, 1.0]
    await pace.rest(reply, 5.0)
    assert pace.lag < 0.1


async def test_after_a_standstill_the_pages_go_on_as_before() -> None:
    """An hour's sleep of the machine does not slow the pages afterwards."""
    pace = Pace(clock=iter([0.0, 3600.0] * 50).__next__)
    reply = Reply(Hand().write, linger=60)
    for _ in range(50):
        await pace.rest(reply, 0.0)
    assert pace.frame(0) <= 5 * FASTEST
    reply.stop()
    await reply.closed()


@given(many, many)
def test_a_long_answer_is_drawn_less_often(characters: int, more: int) -> None:
    """The interval grows with the answer, so that the browser's share of the time stays the
    same."""
    short = interval(messages=0, readers=1, lag=0, characters=characters)
    assert interval(messages=0, readers=1, lag=0, characters=characters + more) >= short
    assert short - FASTEST == pytest.approx(max(0, characters - SHORT) / 400_000)
