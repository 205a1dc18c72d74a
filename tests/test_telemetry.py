import json
import logging
from dataclasses import replace

import pytest

from streamchat.chat.telemetry import Telemetry, receipt
from streamchat.events import Done, Ending, Event, Failed, Receipt, Text, Thinking, Usage
from streamchat.replies.reply import Reply
from streamchat.system.logs import REPLIES
from tests.hand import Hand, settle

USAGE = Usage(25, 41, 0, 100)


class Ticking:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def costing(reply: Reply, ending: Ending) -> Receipt:
    return replace(receipt(reply, ending, model="claude-sonnet-5-5"), cost=0.01, saved=0.002)


async def a_receipt(*steps: tuple[float, Event]) -> Receipt:
    """The receipt of a reply in which each of these events came at its second; the last one is the
    end."""
    hand, clock = Hand(), Ticking()
    reply = Reply(hand.write, linger=60, clock=clock, receipt=costing)
    for clock.now, event in steps:
        hand.say(event)
        await settle()
    await reply.closed()
    assert isinstance(reply.ending, Done | Failed)
    assert reply.ending.receipt
    return reply.ending.receipt


async def test_a_receipt_says_how_a_reply_went() -> None:
    """Model, words, seconds to the first word and in all, tokens a second from the first sign on,
    and dollars."""
    said: list[tuple[float, Event]] = [
        (1.0, Thinking("Hm.")),
        (2.0, Text("Two words")),
        (5.1, Done("end_turn", USAGE)),
    ]
    assert await a_receipt(*said) == Receipt(
        "claude-sonnet-5-5", "end_turn", 2, 5.1, 2.0, 10.0, 0.01, 0.002
    )


async def test_a_reply_without_a_word_has_no_time_of_one() -> None:
    """A reply without a word has no time of its first word and no speed."""
    never = await a_receipt((3.0, Failed("busy", 503)))
    assert (never.reason, never.words, never.first_word, never.tokens_per_second) == (
        "busy",
        0,
        None,
        None,
    )


async def test_a_line_has_how_it_went_and_not_what_was_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The owner reads numbers, a reason and a request id; neither words nor the visitor's
    address."""
    ended = Done(
        "end_turn", USAGE, Receipt("claude-sonnet-5-5", "end_turn", 2, 5.1, 2.0, 10.0, 0.01, 0.002)
    )
    with caplog.at_level(logging.INFO, logger=REPLIES):
        Telemetry().record(ended, "203.0.113.7")
        Telemetry().record(Failed("busy", 503, request_id="req_1"), None)
    first, second = map(json.loads, caplog.messages)
    assert (first["model"], first["cost"], first["output_tokens"]) == (
        "claude-sonnet-5-5",
        0.01,
        41,
    )
    assert second["request_id"] == "req_1"
    assert "203.0.113.7" not in caplog.text


async def test_a_visitor_is_known_for_a_day_and_then_no_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Within a day one visitor's lines belong together; nobody can follow a visitor from day to
    day."""
    clock = Ticking()
    telemetry = Telemetry(clock=clock)
    with caplog.at_level(logging.INFO, logger=REPLIES):
        for clock.now, visitor in ((0, "a"), (86_399, "a"), (86_399, "b"), (86_400, "a")):
            telemetry.record(Done("end_turn"), visitor)
    first, later, other, tomorrow = (json.loads(line)["visitor"] for line in caplog.messages)
    assert first == later
    assert len({first, other, tomorrow}) == 3
