import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import get_args

import anthropic
import httpx2
import pytest
from anthropic.types.shared import ErrorType

from streamchat import errors
from streamchat.errors import ChatError, ClaudeError
from streamchat.events import Done, Event, Message, Notice, Request, Text, Thinking, Usage
from streamchat.settings import Settings
from streamchat.sources.claude.faults import BY_STATUS, BY_TYPE, translate
from streamchat.sources.claude.seam import Seam
from streamchat.sources.claude.source import Claude
from streamchat.texts import worded
from tests.scripted_claude import (
    CLOSES,
    CUT,
    PING,
    RESET,
    Exchange,
    Hold,
    Script,
    ScriptedClaude,
    Step,
    breaks,
    delta,
    ends,
    event,
    opening,
    opens,
    refuses,
    says,
    start,
    streams,
    thought,
)

ASKED = Request((Message("user", "hi"),))


class Clock:
    """Moves only when a test or a pause moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def a_claude(
    scripted: ScriptedClaude, clock: Clock | None = None, /, **environment: str
) -> AsyncIterator[tuple[Claude, list[float]]]:
    """A Claude source that talks to the scripted Claude, and a list of the seconds it would have
    slept."""
    clock = clock or Clock()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.now += seconds

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "sk-test")
        patch.setenv("ANTHROPIC_BASE_URL", scripted.url)
        for name, value in environment.items():
            patch.setenv(name, value)
        source = Claude(Settings.read(), sleep=sleep, clock=clock)
    try:
        yield source, pauses
    finally:
        await source.close()


async def answer(
    source: Claude,
    request: Request = ASKED,
    *,
    at: Event | None = None,
    release: Hold | None = None,
) -> tuple[list[Event], ChatError | None]:
    """All events of the source and the error that ended it; releases the hold when an event equal
    to `at` is read."""
    said: list[Event] = []
    try:
        async with aclosing(source.stream(request)) as events:
            async for event in events:
                said += [event]
                if release and event == at:
                    release.release()
    except ChatError as error:
        return said, error
    return said, None


def text(said: list[Event]) -> str:
    return "".join(event.text for event in said if isinstance(event, Text))


def notices(said: list[Event]) -> list[Notice]:
    return [event for event in said if isinstance(event, Notice)]


async def test_thinking_text_usage_and_the_end_arrive_as_events(claude: ScriptedClaude) -> None:
    """Claude's stream becomes thinking, text, counts and one end."""
    claude.play(says("Hel", "lo", thinks=["Greet ", "back."]))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert error is None
    assert [event for event in said if not isinstance(event, Usage)] == [
        Thinking("Greet "), Thinking("back."), Text("Hel"), Text("lo"), Done("end_turn", Usage(25, 42)),
    ]  # fmt: skip


async def test_the_request_carries_the_settings(claude: ScriptedClaude) -> None:
    """Model, effort, length and system prompt reach Claude; history goes as text and caching is
    on."""
    knobs = {
        "MODEL": "claude-opus-5-5",
        "EFFORT": "high",
        "MAX_TOKENS": "99",
        "SYSTEM_PROMPT": "Be brief.",
    }
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    async with a_claude(
        claude, **{f"STREAMCHAT_{name}": value for name, value in knobs.items()}
    ) as (source, _):
        await answer(source, Request(turns))
    assert claude.exchange(0).body == {
        "model": "claude-opus-5-5",
        "max_tokens": 99,
        "system": "Be brief.",
        "messages": [{"role": turn.role, "content": turn.text} for turn in turns],
        "cache_control": {"type": "ephemeral"},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "high"},
        "stream": True,
    }
    assert claude.exchange(0).headers["authorization"] == "Bearer sk-test"


@pytest.mark.parametrize(
    ("typed", "reaches_claude"),
    [("a \ud83c b", "a \ufffd b"), ("\udf0d", "\ufffd"), ("\ud83c\udf0d", "🌍")],
)
async def test_half_a_letter_does_not_lock_a_chat(
    claude: ScriptedClaude, typed: str, reaches_claude: str
) -> None:
    """Half an emoji, which JSON cannot carry, reaches Claude as a replacement character, also in
    the history."""
    async with a_claude(claude) as (source, _):
        said, error = await answer(
            source, Request((Message("assistant", typed), Message("user", typed)))
        )
    assert (text(said), error) == ("Hello there", None)
    assert claude.exchange(0).said == [("assistant", reaches_claude), ("user", reaches_claude)]


async def test_an_answer_that_breaks_off_within_a_letter_is_continued(
    claude: ScriptedClaude,
) -> None:
    """The quotation that asks Claude to go on is valid text, even after half a character."""
    half = delta("Half of a HALF").replace(b"HALF", rb"\ud83c")
    claude.play(streams(start(), opens(), half, breaks()), says(" and more."))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("Half of a  and more.", None)


NO = {"supported": False}
INCAPABLE = {"thinking": {"supported": True, "types": {"adaptive": NO}}, "effort": NO}


async def test_a_model_that_cannot_think_is_not_asked_to(claude: ScriptedClaude) -> None:
    """An older model gets neither thinking nor effort, which it would refuse."""
    claude.capabilities = INCAPABLE
    async with a_claude(claude) as (source, _):
        await source.open()
        await answer(source)
    assert not {"thinking", "output_config"} & claude.exchange(0).body.keys()


@pytest.mark.parametrize(
    "away", [False, True], ids=["never opened", "Claude was away at the start"]
)
async def test_a_models_capabilities_are_learned_with_the_first_question(
    claude: ScriptedClaude, away: bool
) -> None:
    """Without an answer at the start, as when only visitors have keys, an older model still gets no
    field that it would refuse."""
    claude.capabilities = INCAPABLE
    async with a_claude(claude) as (source, _):
        if away:
            claude.models_status = 529
            with pytest.raises(errors.Busy):
                await source.open()
            await answer(source)
            assert "thinking" in claude.exchanges.pop().body
            claude.models_status = 200
        await answer(source, Request(ASKED.conversation, key="sk-visitor"))
    assert not {"thinking", "output_config"} & claude.exchange(0).body.keys()


@pytest.mark.parametrize("status", [200, 404])
async def test_a_models_capabilities_are_asked_for_once(
    claude: ScriptedClaude, status: int
) -> None:
    """No answer waits for capabilities that are known, nor for ones that Claude cannot tell."""
    claude.models_status = status
    async with a_claude(claude) as (source, _):
        with suppress(errors.UnknownModel):
            await source.open()
        await answer(source)
        said, _error = await answer(source)
    assert text(said) == "Hello there"
    assert claude.models_asked == 1


class LoginPage(ScriptedClaude):
    """A login page in place of the list of models."""

    def _model(self) -> bytes:
        return (
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 12\r\n\r\n<html>Log in"
        )


async def test_a_page_instead_of_a_model_does_no_harm() -> None:
    """Behind a network's login page the app starts, and it answers once Claude can be reached."""
    with LoginPage(says("Hello there")) as claude:
        async with a_claude(claude) as (source, _):
            await source.open()
            said, error = await answer(source)
    assert (text(said), error) == ("Hello there", None)


@pytest.mark.parametrize("capabilities", [None, {}, {"thinking": None}])
async def test_a_gateway_that_says_nothing_of_the_model_does_no_harm(
    claude: ScriptedClaude, capabilities: dict[str, None] | None
) -> None:
    """If the list of models has another shape, today's capabilities are assumed."""
    claude.capabilities = capabilities
    async with a_claude(claude) as (source, _):
        await source.open()
        said, _error = await answer(source)
    assert text(said) == "Hello there"
    assert "thinking" in claude.exchange(0).body


async def test_a_rejected_key_is_known_at_the_start(claude: ScriptedClaude) -> None:
    """A wrong key is reported at the start, before the first question."""
    claude.models_status = 401
    async with a_claude(claude) as (source, _):
        with pytest.raises(errors.KeyRejected):
            await source.open()


async def test_one_connection_serves_one_reply_after_the_other(claude: ScriptedClaude) -> None:
    """The connection is kept: warmed at the start, it carries the first reply and the next."""
    async with a_claude(claude) as (source, _):
        await source.open()
        await answer(source)
        await answer(source)
    assert claude.connections == 1


REFUSALS = {
    400: ("invalid_request_error", errors.RequestRejected),
    401: ("authentication_error", errors.KeyRejected),
    402: ("billing_error", errors.NoCredit),
    403: ("permission_error", errors.NotPermitted),
    404: ("not_found_error", errors.UnknownModel),
    413: ("request_too_large", errors.ConversationTooLarge),
}


@pytest.mark.parametrize("status", REFUSALS)
async def test_lasting_errors_are_not_retried(claude: ScriptedClaude, status: int) -> None:
    """A request that Claude refuses for good fails at once, with its own sentence and Claude's
    request id."""
    kind, place = REFUSALS[status]
    claude.play(refuses(status, kind))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    assert (said, type(error), pauses, len(claude.exchanges)) == ([], place, [], 1)
    assert error
    assert error.request_id == "req_scripted"


async def test_claudes_words_on_a_rejected_request_are_not_shown(
    claude: ScriptedClaude,
) -> None:
    """Readers do not see Claude's message, which may repeat the request, the key or facts about the
    owner's account."""
    claude.play(refuses(400, "invalid_request_error", "sk-test may not say hi"))
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
    assert str(error) == errors.RequestRejected.code


PASSING = {
    "429": (refuses(429, "rate_limit_error"), errors.RateLimited),
    "500": (refuses(500, "api_error"), errors.ClaudeFault),
    "502": (refuses(502, "api_error"), errors.ClaudeFault),
    "503": (refuses(503, "api_error"), errors.Busy),
    "504": (refuses(504, "timeout_error"), errors.Silent),
    "529": (refuses(529, "overloaded_error"), errors.Busy),
    "error event first": (streams(breaks()), errors.Busy),
    "error event while thinking": (streams(start(), thought("hm"), breaks("api_error")), errors.ClaudeFault),
    "reset": (streams(start(), RESET), errors.BrokenOff),
    "cut": (streams(start(), CUT), errors.BrokenOff),
    "silent end": (streams(start()), errors.BrokenOff),
    "empty body": (streams(), errors.BrokenOff),
    "malformed JSON": (streams(start(), b"event: content_block_delta\ndata: {\n\n"), errors.Unreadable),
    "invalid UTF-8": (streams(start(), b"event: content_block_delta\ndata: \xff\n\n"), errors.Unreadable),
    "event without a shape": (streams(start(), event("content_block_delta", index=0)), errors.Unreadable),
}  # fmt: skip


@pytest.mark.parametrize("fault", PASSING)
async def test_before_the_first_word_a_passing_failure_is_tried_again_in_sight(
    claude: ScriptedClaude, fault: str
) -> None:
    """The reader sees the failure and the time of the next attempt, and then the whole answer."""
    script, place = PASSING[fault]
    claude.play(script, script, says("Here I am."))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    told = notices(said)
    assert error is None
    assert text(said) == "Here I am."
    assert all(notice.passing and worded(notice).startswith(worded(place())) for notice in told)
    assert [
        f"{pause:.0f} s" in worded(notice) for pause, notice in zip(pauses, told, strict=True)
    ] == [True, True]


@pytest.mark.parametrize("fault", PASSING)
async def test_a_failure_that_does_not_pass_is_given_up(claude: ScriptedClaude, fault: str) -> None:
    """After four attempts the reader gets the failure's sentence."""
    script, place = PASSING[fault]
    claude.play(script)
    async with a_claude(claude) as (source, pauses):
        _, error = await answer(source)
    assert type(error) is place
    assert (len(claude.exchanges), len(pauses)) == (4, 3)


async def test_retry_after_is_honoured(claude: ScriptedClaude) -> None:
    """The pause is as long as `Retry-After` says."""
    claude.play(refuses(429, "rate_limit_error", retry_after="7"), says("ok"))
    async with a_claude(claude) as (source, pauses):
        said, _ = await answer(source)
    assert (pauses, text(said)) == ([7.0], "ok")


async def test_a_long_retry_after_fails_at_once_with_the_time_to_come_back(
    claude: ScriptedClaude,
) -> None:
    """A `Retry-After` above the cap is not waited for: the reader is told when to come back."""
    claude.play(refuses(429, "rate_limit_error", retry_after="61"))
    async with a_claude(claude) as (source, pauses):
        _, error = await answer(source)
    assert (pauses, type(error)) == ([], errors.RateLimited)
    assert error
    assert error.retry_after == 61


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("1e300", 86_400),
        ("Mon, 01 Jan 1900 00:00:00 GMT", 0),
        ("-5", 0),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
        ("inf", None),
        ("soon", None),
    ],
)
async def test_an_absurd_retry_after_does_no_harm(
    claude: ScriptedClaude, retry_after: str, seconds: float | None
) -> None:
    """A `Retry-After` is at most a day, and one that is no time is ignored."""
    claude.play(refuses(529, "overloaded_error", retry_after=retry_after))
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
    assert type(error) is errors.Busy
    assert error.retry_after == seconds


async def test_a_spent_account_is_not_asked_again(claude: ScriptedClaude) -> None:
    """A spend limit has a rate limit's status, but waiting does not help: it is not retried."""
    claude.play(refuses(429, "rate_limit_error", error_code="enforced_spend_limit_reached"))
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
    assert type(error) is errors.NoCredit
    assert len(claude.exchanges) == 1


AFTER_TEXT = {
    "error event": (breaks(), errors.Busy),
    "reset": (RESET, errors.BrokenOff),
    "cut": (CUT, errors.BrokenOff),
    "malformed": (b"event: content_block_delta\ndata: {\n\n", errors.Unreadable),
    "silent end": (b": nothing more\n\n", errors.BrokenOff),
}


WHOLE = "The **quick** brown fox jumps over\nthe lazy dog.\n\nThen it sleeps."
CUTS = [word.end() for word in re.finditer(r"\S+|\s+", WHOLE)][:-1]
NEVER = {"STREAMCHAT_CONTINUATIONS": "0"}


def broken(partial: str, step: Step, *, hold: Hold | None = None) -> Script:
    """An answer that ends in its middle with `step`, after the hold's release if there is one."""
    return streams(start(), opens(), delta(partial), *([hold] if hold else []), step)


def last_words(exchange: Exchange) -> str:
    """The quotation that a request to continue ends with."""
    found = re.search("<last_words>(.*)</last_words>", exchange.said[-1][1], re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("fault", AFTER_TEXT)
async def test_an_answer_that_breaks_off_is_continued(claude: ScriptedClaude, fault: str) -> None:
    """After any break in the stream Claude is asked to go on, and the joined text has no seam."""
    step, place = AFTER_TEXT[fault]
    async with a_claude(claude) as (source, _):
        for cut in CUTS:
            hold = Hold()
            claude.play(
                broken(WHOLE[:cut], step, hold=hold), says(*re.split(r"(?= )", WHOLE[cut:]))
            )
            said, error = await answer(source, at=Text(WHOLE[:cut]), release=hold)
            assert (text(said), error, type(said[-1])) == (WHOLE, None, Done)
            assert [worded(place()) in worded(notice) for notice in notices(said)] == [True, True]


async def test_the_words_that_a_continuation_repeats_are_shown_once(claude: ScriptedClaude) -> None:
    """The words that Claude was asked to repeat are cut from the continuation."""
    async with a_claude(claude) as (source, _):
        for cut in CUTS[8:]:
            claude.exchanges.clear()
            repeated = WHOLE[:cut].rstrip()
            claude.play(broken(WHOLE[:cut], breaks()), says(*repeated, WHOLE[len(repeated) :]))
            said, _ = await answer(source)
            assert last_words(claude.exchange(1)) == repeated
            assert text(said) == WHOLE


async def test_a_continuation_asks_claude_to_go_on_from_its_own_words(
    claude: ScriptedClaude,
) -> None:
    """The request has the conversation, the partial answer as Claude's turn, and a turn that quotes
    its last words exactly."""
    partial = "".join(f"Line {number},\n\tindented.\n" for number in range(99))
    claude.play(broken(partial, breaks()), says("Line 99."))
    async with a_claude(claude) as (source, _):
        await answer(source)
    asked, partly, go_on = claude.exchange(1).said
    assert (asked, partly, go_on[0]) == (("user", "hi"), ("assistant", partial.rstrip()), "user")
    assert partial.rstrip().endswith(last_words(claude.exchange(1)))
    assert 20 <= len(last_words(claude.exchange(1))) <= 200
    assert "interrupted" in go_on[1]
    same = ("model", "system", "max_tokens", "thinking", "output_config", "cache_control")
    assert [claude.exchange(0).body[name] for name in same] == [
        claude.exchange(1).body[name] for name in same
    ]


async def test_the_reader_learns_why_an_answer_was_interrupted(claude: ScriptedClaude) -> None:
    """One sentence about the interruption stays, because the seam may show; the notices about
    attempts pass."""
    claude.play(broken("Half", breaks()), says(" and half."))
    async with a_claude(claude) as (source, pauses):
        said, _ = await answer(source)
    lasting, passing = notices(said)
    assert (
        said.index(Text("Half"))
        < said.index(lasting)
        < said.index(passing)
        < said.index(Text(" and half."))
    )
    assert (lasting.passing, passing.passing) == (False, True)
    assert (
        worded(lasting)
        == "The answer was interrupted in the middle: Claude is busy. Claude is asked to go on from"
        " there."
    )
    assert worded(passing) == f"Claude is busy. Trying again in {pauses[0]:.0f} s (1 of 3)."


async def test_an_answer_that_breaks_off_again_and_again_fails_with_what_there_is(
    claude: ScriptedClaude,
) -> None:
    """After the last continuation the text stays and the failure follows it."""
    claude.play(*(broken(word, breaks()) for word in ["One,", " two,", " three,", " four,"]))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), type(error)) == ("One, two, three,", errors.Busy)
    assert claude.exchange(2).said[1] == ("assistant", "One, two,")
    assert (len(claude.exchanges), len(notices(said))) == (3, 4)
    assert not any(isinstance(event, Done) for event in said)


async def test_how_often_an_answer_is_continued_is_a_setting(claude: ScriptedClaude) -> None:
    """The setting bounds the continuations, and each one starts from all text so far."""
    claude.play(*(broken(f"{number},", breaks()) for number in range(5)), says("5."))
    async with a_claude(claude, STREAMCHAT_CONTINUATIONS="5") as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("0,1,2,3,4,5.", None)


@pytest.mark.parametrize("fault", AFTER_TEXT)
async def test_without_continuations_the_partial_text_is_kept(
    claude: ScriptedClaude, fault: str
) -> None:
    """The text so far stays, the failure follows it, and Claude is not asked again."""
    step, place = AFTER_TEXT[fault]
    hold = Hold()
    claude.play(broken("Half an", step, hold=hold))
    async with a_claude(claude, **NEVER) as (source, pauses):
        said, error = await answer(source, at=Text("Half an"), release=hold)
    assert (text(said), type(error), pauses) == ("Half an", place, [])
    assert len(claude.exchanges) == 1


async def test_a_continuation_that_fails_before_its_first_word_is_tried_again(
    claude: ScriptedClaude,
) -> None:
    """An attempt without a new word uses up no continuation: neither a refused request, nor
    thoughts alone, nor repeated words alone."""
    wordless = [refuses(529, "overloaded_error"), streams(start(), thought("hm"), breaks())]
    for script in [*wordless, broken("Half an", breaks())]:
        claude.play(broken("Half an", breaks()), script, script, says(" answer."))
        async with a_claude(claude, STREAMCHAT_CONTINUATIONS="1") as (source, pauses):
            said, error = await answer(source)
        assert (text(said), error, len(pauses)) == ("Half an answer.", None, 3)
        assert [notice.passing for notice in notices(said)] == [False, True, True, True]


async def test_a_continuation_that_never_begins_is_given_up(claude: ScriptedClaude) -> None:
    """Claude is asked to go on three times; then the text stays and the failure follows it."""
    claude.play(broken("Half an", breaks()), refuses(500, "api_error"))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    assert (text(said), type(error)) == ("Half an", errors.ClaudeFault)
    assert (len(claude.exchanges), len(pauses)) == (4, 3)


async def test_retry_after_holds_for_a_continuation_too(claude: ScriptedClaude) -> None:
    """A continuation waits as long as `Retry-After` says, and fails at once above the cap."""
    turned_away = [refuses(429, "rate_limit_error", retry_after=seconds) for seconds in ("7", "61")]
    claude.play(broken("Half an", breaks()), *turned_away)
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    assert (text(said), type(error), pauses[1:]) == ("Half an", errors.RateLimited, [7.0])
    assert error
    assert error.retry_after == 61


@pytest.mark.parametrize("kind", ["invalid_request_error", "authentication_error", "billing_error"])
async def test_a_lasting_error_ends_an_answer(claude: ScriptedClaude, kind: str) -> None:
    """A lasting error ends the answer, in its middle or during a continuation."""
    for scripts in (
        [broken("Half", breaks(kind))],
        [broken("Half", breaks()), streams(start(), breaks(kind))],
    ):
        claude.exchanges.clear()
        claude.play(*scripts)
        async with a_claude(claude) as (source, _):
            said, error = await answer(source)
        assert (text(said), type(error)) == ("Half", BY_TYPE[kind])
        assert len(claude.exchanges) == len(scripts)


async def test_the_last_part_says_how_an_answer_ended(claude: ScriptedClaude) -> None:
    """The last part's stop reason counts, and the tokens of all parts are added up."""
    first = streams(start(cache_creation_input_tokens=900), opens(), delta("Half an"), breaks())
    last = streams(
        start(cache_read_input_tokens=900), opens(), delta(" answ"), CLOSES, ends("max_tokens", 7)
    )
    claude.play(first, last)
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert said[-1] == Done("max_tokens", Usage(50, 8, 900, 900))


async def test_a_continuation_may_end_where_it_begins_like_a_repetition(
    claude: ScriptedClaude,
) -> None:
    """Text that was held back as a possible repetition is shown at the end, before the Done."""
    claude.play(broken("The signal is SO", breaks()), says("S"))
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert (text(said), type(said[-1])) == ("The signal is SOS", Done)


async def test_thoughts_about_going_on_are_not_shown(claude: ScriptedClaude) -> None:
    """Claude's thoughts about a request to continue are dropped: no reader made that request."""
    claude.play(broken("Half", breaks()), says(" and half.", thinks=["I was interrupted."]))
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert not any(isinstance(event, Thinking) for event in said)


async def test_each_attempt_thinks_in_a_paragraph_of_its_own(claude: ScriptedClaude) -> None:
    """The thoughts of two attempts are parted by a blank line, and nothing stands before the
    first."""
    broken_off = streams(start(), opens("thinking"), thought("Let me"), breaks())
    claude.play(
        refuses(529, "overloaded_error"), broken_off, says("Hi.", thinks=["Let me ", "think."])
    )
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert (
        "".join(event.text for event in said if isinstance(event, Thinking))
        == "Let me\n\nLet me think."
    )


async def test_a_break_after_mere_whitespace_begins_anew(claude: ScriptedClaude) -> None:
    """An assistant's turn of mere whitespace is never sent: the question is asked again."""
    claude.play(broken("\n\n", breaks()), says("Here I am."))
    async with a_claude(claude, **NEVER) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("\n\nHere I am.", None)
    assert claude.exchange(1).said == [("user", "hi")]


async def test_stopping_a_continuation_closes_claudes_connection(claude: ScriptedClaude) -> None:
    """Stop works during a continuation as it does before."""
    hold = Hold()
    claude.play(broken("Half", breaks()), streams(start(), opens(), delta(" and"), hold))
    async with a_claude(claude) as (source, _):
        asking = asyncio.ensure_future(answer(source))
        exchange = await asyncio.to_thread(claude.exchange, 1)
        assert await asyncio.to_thread(hold.reached.wait, 10)
        asking.cancel()
        assert await asyncio.to_thread(exchange.gone.wait, 10)
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert len(claude.exchanges) == 2


def the_rest_of(partial: str) -> Request:
    return Request((*ASKED.conversation, Message("assistant", partial)))


@pytest.mark.parametrize("repeats", [True, False])
async def test_a_partial_answer_is_continued_on_request(
    claude: ScriptedClaude, repeats: bool
) -> None:
    """A conversation that ends with the assistant's words gets the rest of them, even if automatic
    continuations are off."""
    async with a_claude(claude, **NEVER) as (source, _):
        for cut in CUTS[8:]:
            claude.exchanges.clear()
            claude.play(
                says(
                    WHOLE[:cut].rstrip() * repeats,
                    WHOLE[len(WHOLE[:cut].rstrip()) if repeats else cut :],
                )
            )
            said, error = await answer(source, the_rest_of(WHOLE[:cut]))
            assert (text(said), error) == (WHOLE[cut:], None)
            assert not notices(said)
            assert claude.exchange(0).said[:2] == [
                ("user", "hi"),
                ("assistant", WHOLE[:cut].rstrip()),
            ]
            assert last_words(claude.exchange(0)) == Seam(WHOLE[:cut]).anchor


async def test_a_continuation_on_request_may_break_off_too(claude: ScriptedClaude) -> None:
    """It is retried before its first word, and continued after it, from all text so far."""
    claude.play(streams(start(), breaks()), broken(" two,", breaks()), says(" three."))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source, the_rest_of("One,"))
    assert (text(said), error) == (" two, three.", None)
    assert [exchange.said[1][1] for exchange in claude.exchanges] == ["One,", "One,", "One, two,"]


async def test_silence_is_a_failure_of_its_own(claude: ScriptedClaude) -> None:
    """A connection without any bytes, not even pings, is given up."""
    claude.play(broken("Half", Hold()))
    async with a_claude(claude, **NEVER, STREAMCHAT_SILENCE_SECONDS="0.1") as (source, _):
        said, error = await answer(source)
    assert (text(said), type(error)) == ("Half", errors.Silent)


async def test_a_page_instead_of_a_stream_is_recognised(claude: ScriptedClaude) -> None:
    """A login page of a proxy, sent with status 200, is not an answer."""
    claude.play([opening("text/html"), b"<html>Please log in</html>"])
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (said, type(error)) == ([], errors.NotAStream)


async def test_a_stream_is_recognised_in_any_case(claude: ScriptedClaude) -> None:
    """A content type has no upper and lower case."""
    claude.play([opening("Text/Event-Stream"), start(), delta("Here I am."), ends()])
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("Here I am.", None)


async def test_an_unreachable_claude_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """If Claude cannot be reached, the reader learns that, without technical details."""
    with ScriptedClaude() as claude:
        pass
    claude.url = "http://127.0.0.1:9"
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
    assert type(error) is errors.Unreachable


@pytest.mark.parametrize(
    "reason",
    ["end_turn", "max_tokens", "refusal", "model_context_window_exceeded", "stop_sequence"],
)
async def test_every_stop_reason_is_passed_on(claude: ScriptedClaude, reason: str) -> None:
    """Readers get every stop reason, and an answer with one is not continued."""
    claude.play(says("Well", reason=reason))
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert said[-1] == Done(reason, Usage(25, 42))
    assert len(claude.exchanges) == 1


async def test_a_refusal_may_come_without_a_word(claude: ScriptedClaude) -> None:
    """A refusal with no content at all is an ending, not a failure."""
    claude.play(
        streams(start(), ends("refusal", stop_details={"type": "refusal", "category": None}))
    )
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error, said[-1]) == ("", None, Done("refusal", Usage(25, 42)))


@pytest.mark.parametrize("last", [CUT, RESET, b": no message_stop\n\n"])
async def test_after_the_stop_reason_nothing_can_break(
    claude: ScriptedClaude, last: object
) -> None:
    """An answer whose stop reason has arrived is whole, whatever happens to the connection then."""
    stop = ends().partition(b"event: message_stop")[0]
    hold = Hold()
    claude.play(streams(start(), opens(), delta("All."), CLOSES, stop, hold, last))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source, at=Usage(25, 42), release=hold)
    assert (text(said), error, said[-1]) == ("All.", None, Done("end_turn", Usage(25, 42)))


async def test_unknown_events_are_ignored(claude: ScriptedClaude) -> None:
    """Unknown types of events, blocks and deltas do not disturb an answer, nor do many events in
    one chunk."""
    future = [
        event("future_event"),
        event("content_block_delta", index=0, delta={"type": "future_delta"}),
    ]
    claude.play(
        streams(
            b"".join(
                [start(), *future, opens("text"), delta("a"), PING, delta("b"), CLOSES, ends()]
            )
        )
    )
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("ab", None)


@pytest.mark.parametrize("data", [b"ok", b'{"a": 1}', b"[DONE]", b"[]"])
async def test_foreign_events_are_ignored(claude: ScriptedClaude, data: bytes) -> None:
    """Events that a gateway adds to the stream, of any shape, break no answer."""
    foreign = b"event: keep_alive\ndata: " + data + b"\n\n"
    claude.play(streams(start(), foreign, delta("a"), foreign, delta("b"), ends(), foreign))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    assert (text(said), error, pauses) == ("ab", None, [])


async def test_an_answer_cut_into_odd_pieces_arrives_whole(claude: ScriptedClaude) -> None:
    """The stream may be cut into chunks anywhere, also within a character."""
    stream = b"".join([start(), opens(), delta("Grüße 🌍 世界"), CLOSES, ends()])
    claude.play(streams(*[stream[i : i + 3] for i in range(0, len(stream), 3)]))
    async with a_claude(claude) as (source, _):
        said, _ = await answer(source)
    assert text(said) == "Grüße 🌍 世界"


HELD: dict[str, Callable[[Hold], Script]] = {
    "before the headers": lambda hold: [hold_head(hold)],
    "before the first word": lambda hold: streams(start(), hold),
    "while thinking": lambda hold: streams(start(), opens("thinking"), thought("hm"), hold),
    "while writing": lambda hold: streams(start(), opens(), delta("a"), hold),
}


def hold_head(hold: Hold) -> bytes:
    """Waits before the first line of the response."""
    hold.reached.set()
    return b""


@pytest.mark.parametrize("moment", HELD)
async def test_stopping_closes_claudes_connection(claude: ScriptedClaude, moment: str) -> None:
    """A stop at any moment closes the connection, and Claude writes no more."""
    hold = Hold()
    script = HELD[moment](hold)
    claude.play([script[0], hold] if moment == "before the headers" else script)
    async with a_claude(claude) as (source, _):
        asking = asyncio.ensure_future(answer(source))
        exchange = await asyncio.to_thread(claude.exchange, 0)
        assert await asyncio.to_thread(hold.reached.wait, 10)
        asking.cancel()
        assert await asyncio.to_thread(exchange.gone.wait, 10)
        with pytest.raises(asyncio.CancelledError):
            await asking


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from subclasses(child)


SDK_ERRORS = {
    kind
    for module in (anthropic, httpx2)
    for _, exported in inspect.getmembers(module, inspect.isclass)
    if issubclass(exported, Exception) and not issubclass(exported, Warning)
    for kind in subclasses(exported)
}


def made(kind: type[Exception], status: int, error_type: str) -> Exception:
    """An error as the SDK would raise it."""
    if not issubclass(kind, anthropic.APIStatusError):
        return kind.__new__(kind)
    response = httpx2.Response(status, request=httpx2.Request("POST", "http://claude"))
    body = {"error": {"type": error_type, "message": "no"}, "request_id": "req_in_stream"}
    return kind("no", response=response, body=body)


def test_every_error_of_the_sdk_and_its_transport_has_its_place() -> None:
    """Every error class of the SDK and its transport has a place in the table; a new one fails this
    test."""
    for kind in SDK_ERRORS:
        error = made(kind, getattr(kind, "status_code", 500), "api_error")
        assert isinstance(translate(error), ClaudeError), kind


def test_every_status_that_the_sdk_knows_is_in_the_table() -> None:
    """A status with a class of its own in the SDK has its own sentence, or is a fault of
    Claude's."""
    statuses = {
        getattr(kind, "status_code", None)
        for kind in SDK_ERRORS
        if issubclass(kind, anthropic.APIStatusError)
    }
    assert statuses - {None} <= BY_STATUS.keys()


@pytest.mark.parametrize("error_type", get_args(ErrorType))
def test_every_error_type_in_a_stream_has_its_place(error_type: str) -> None:
    """An error event arrives with status 200; its type decides."""
    assert error_type in BY_TYPE or error_type.startswith("memory_")
    error = translate(made(anthropic.APIStatusError, 200, error_type))
    assert type(error) is BY_TYPE.get(error_type, errors.ClaudeFault)
    assert error.request_id == "req_in_stream"


def test_an_error_of_our_own_making_is_not_blamed_on_claude() -> None:
    """An exception of our own code is raised unchanged."""
    assert translate(KeyError("x")) is None
