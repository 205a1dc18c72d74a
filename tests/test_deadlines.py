from collections.abc import Sequence

import pytest

from streamchat import errors
from streamchat.events import Done, Event, Text, Thinking, Usage
from tests.scripted_claude import (
    CLOSES,
    PING,
    Hold,
    ScriptedClaude,
    Step,
    breaks,
    delta,
    ends,
    event,
    opens,
    refuses,
    says,
    start,
    streams,
    thought,
)
from tests.test_claude import NEVER, Clock, a_claude, answer, text

SILENCE, REPLY = 90.0, 1_800.0  # seconds


class Later(Hold):
    """A hold that moves the clock by so many seconds when it is released."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds

    def release(self) -> None:
        self._clock.now += self._seconds
        super().release()


async def after(
    claude: ScriptedClaude, at: Event, seconds: float, *steps: Step
) -> tuple[list[Event], Exception | None]:
    """All events of an answer that goes on with these steps that many seconds after `at` was
    read."""
    clock = Clock()
    later = Later(clock, seconds)
    said = thought("Half") if isinstance(at, Thinking) else delta("Half")
    claude.play(streams(start(), said, later, *steps))
    async with a_claude(claude, clock, **NEVER) as (source, _):
        return await answer(source, at=at, release=later)


EMPTY: dict[str, Sequence[bytes]] = {
    "pings": [PING, PING],
    "comments": [b": still here\n\n"],
    "events of others": [event("keep_alive"), b"data: [DONE]\n\n"],
    "counts": [event("message_delta", delta={}, usage={"output_tokens": 2})],
}


@pytest.mark.parametrize("filling", EMPTY)
async def test_a_claude_that_only_pings_is_given_up(claude: ScriptedClaude, filling: str) -> None:
    """Events without words or thoughts do not keep a reply alive for ever; its connection is
    closed."""
    said, error = await after(claude, Text("Half"), SILENCE, *EMPTY[filling], Hold())
    assert (text(said), type(error)) == ("Half", errors.Silent)
    assert claude.exchange(0).gone.wait(10)


@pytest.mark.parametrize("filling", EMPTY)
async def test_a_claude_that_only_pings_while_it_thinks_is_asked_again(
    claude: ScriptedClaude, filling: str
) -> None:
    """Before the first word a silence is retried in the reader's sight, with the same deadline."""
    clock = Clock()
    later = Later(clock, SILENCE)
    claude.play(
        streams(start(), thought("Half"), later, *EMPTY[filling], Hold()), says("Here I am.")
    )
    async with a_claude(claude, clock) as (source, pauses):
        said, error = await answer(source, at=Thinking("Half"), release=later)
    assert (text(said), error, len(pauses)) == ("Here I am.", None, 1)
    assert claude.exchange(0).gone.wait(10)


@pytest.mark.parametrize("at", [Text("Half"), Thinking("Half")])
async def test_pings_fill_a_silence_that_is_short_enough(claude: ScriptedClaude, at: Event) -> None:
    """Pings keep a connection alive up to that deadline, as while Claude thinks."""
    said, error = await after(claude, at, SILENCE - 1, PING, PING, delta(" and half."), ends())
    assert (text(said).endswith(" and half."), error) == (True, None)


@pytest.mark.parametrize("late", [delta(" and half."), thought("hm"), opens("redacted_thinking")])
async def test_every_sign_of_life_restarts_the_silence(claude: ScriptedClaude, late: bytes) -> None:
    """Words, thoughts and beginnings of blocks restart the deadline, and none is dropped for coming
    late."""
    said, error = await after(
        claude, Text("Half"), SILENCE + 1, late, PING, delta("."), CLOSES, ends()
    )
    assert error is None
    assert text(said).endswith(".")


async def test_the_silence_is_a_setting(claude: ScriptedClaude) -> None:
    """The setting is in seconds."""
    clock = Clock()
    later = Later(clock, 5)
    claude.play(streams(start(), delta("Half"), later, PING, Hold()))
    async with a_claude(claude, clock, **NEVER, STREAMCHAT_SILENCE_SECONDS="5") as (source, _):
        _, error = await answer(source, at=Text("Half"), release=later)
    assert type(error) is errors.Silent


async def test_a_reply_that_goes_on_for_ever_is_ended(claude: ScriptedClaude) -> None:
    """A reply has a deadline even if words keep coming; its text stays, and it is not retried."""
    clock = Clock()
    later = Later(clock, REPLY)
    claude.play(streams(start(), delta("Half"), later, delta(" more"), Hold()))
    async with a_claude(claude, clock) as (source, pauses):
        said, error = await answer(source, at=Text("Half"), release=later)
    assert (text(said), type(error), pauses) == ("Half", errors.TookTooLong, [])
    assert claude.exchange(0).gone.wait(10)


async def test_all_attempts_together_have_the_time_of_one_reply(claude: ScriptedClaude) -> None:
    """A reply is not tried again once its time is over."""
    claude.play(refuses(529, "overloaded_error", retry_after="7"))
    async with a_claude(claude, STREAMCHAT_REPLY_SECONDS="10") as (source, pauses):
        _, error = await answer(source)
    assert (type(error), pauses, len(claude.exchanges)) == (errors.TookTooLong, [7, 7], 2)


async def test_continuations_have_the_time_of_one_reply(claude: ScriptedClaude) -> None:
    """An answer that broke off in its middle is not continued once its time is over."""
    clock = Clock()
    later = Later(clock, REPLY - 0.5)
    claude.play(streams(start(), delta("Half"), later, breaks()), says(" and half."))
    async with a_claude(claude, clock) as (source, _):
        said, error = await answer(source, at=Text("Half"), release=later)
    assert (text(said), type(error), len(claude.exchanges)) == ("Half", errors.TookTooLong, 1)


async def test_an_answer_that_is_whole_is_never_too_late(claude: ScriptedClaude) -> None:
    """No deadline applies to the stream after its stop reason."""
    clock = Clock()
    later = Later(clock, REPLY)
    stop, name, last = ends().partition(b"event: message_stop")
    claude.play(streams(start(), delta("All."), stop, later, PING, name + last))
    async with a_claude(claude, clock) as (source, _):
        said, error = await answer(source, at=Usage(25, 42), release=later)
    assert (text(said), error, said[-1]) == ("All.", None, Done("end_turn", Usage(25, 42)))
