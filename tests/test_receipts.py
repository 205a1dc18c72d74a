from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest

from streamchat.events import Done, Failed, Receipt, Usage
from streamchat.texts import brief, dollars, text
from streamchat.ui.continuing import together
from streamchat.ui.receipts import receipt, renewed

RECEIPT = Receipt("claude-sonnet-5-5", "end_turn", 1_214, 9.0, 0.84, 71.4, 0.0123, 0.0)
USED = Usage(310, 640, 300, 2_000)
OLD = "\u2063claude-sonnet-5-5 · 1,214 words · first token 0.8 s · 71 tokens/s"


def line(**fields: Any) -> str:
    return parts(**fields)[0]


def parts(**fields: Any) -> tuple[str, list[str]]:
    """The line that is seen, and those that it opens."""
    it = receipt(Done("end_turn", USED, replace(RECEIPT, **fields)))
    _, seen, details = it.split("\u2063")
    return seen, details.split("  \n")[1:]


def test_a_receipt_is_one_quiet_line_with_details_behind_it() -> None:
    """The line has the model's name and the price; the details have all that is known."""
    assert parts(saved=0.002) == (
        "Sonnet 5.5 · $0.012",
        [
            "Model: claude-sonnet-5-5",
            "Words: 1,214",
            "Time: 9.0 s, first word after 0.8 s",
            "Speed: 71 tokens/s",
            "Tokens: 2,610 in, 640 out",
            "Cache: 2,000 tokens read, 300 tokens written, $0.0020 saved",
            "Cost: $0.0123",
        ],
    )


def test_parts_of_an_answer_have_one_receipt() -> None:
    """Costs, words, searches and times are added; the speed is that of all tokens, and the first word that of
    the first part that has one. A key paid for it if it paid for all that cost something."""
    rest = replace(RECEIPT, words=6, seconds=1.0, first_word=0.2, tokens_per_second=35.7)
    one, two = Done("max_tokens", USED, RECEIPT), Done("end_turn", USED, rest)
    whole = together(one, two)
    assert whole
    assert whole.usage == USED + USED
    assert whole.receipt == replace(
        rest, words=1_220, seconds=10.0, first_word=0.84, cost=0.0246, tokens_per_second=ANY
    )
    assert whole.receipt.tokens_per_second == pytest.approx(47.6)
    own = together(one, replace(two, receipt=replace(rest, own_key=True)))
    free = together(replace(one, receipt=replace(RECEIPT, cost=0.0)), two)
    looks = [replace(each, receipt=replace(RECEIPT, searches=2)) for each in (one, two)]
    all_looks = together(*looks)
    assert all_looks
    assert all_looks.receipt
    assert all_looks.receipt.searches == 4
    assert [each and each.receipt and each.receipt.own_key for each in (own, free)] == [False] * 2
    assert together(None, one) is one


@pytest.mark.parametrize(
    ("fields", "seen", "detail"),
    [
        ({"own_key": True}, "Sonnet 5.5 · $0.012 on your key", "Cost: $0.0123 on your key"),
        ({"assumed": 0.01}, "Sonnet 5.5 · at most $0.012", "Cost: at most $0.0123"),
        ({"shared": True, "cost": 0.0}, "Sonnet 5.5 · free", "Cost: free, from cache"),
        ({"closed": True}, "Sonnet 5.5 · $0.012", "Stopped: connection to Claude closed"),
        ({"cost": 0.0}, "Sonnet 5.5", "Speed: 71 tokens/s"),
        ({"model": "demo", "cost": 0.0}, "Demo", "Model: demo"),
        ({"model": "llama", "cost": 0.0, "first_word": None}, "llama", "Time: 9.0 s"),
    ],
)
def test_a_receipt_says_who_paid_and_what_a_stop_did(
    fields: dict[str, Any], seen: str, detail: str
) -> None:
    """Also where the demo answers, or another source, which cost nothing."""
    assert line(**fields) == seen
    assert detail in parts(**fields)[1]


def test_for_nothing_there_is_no_receipt() -> None:
    """A reply that failed before its first word and cost nothing has none; one that cost something
    has."""
    nothing = replace(RECEIPT, words=0, cost=0.0)
    assert receipt(Failed("busy", 503, receipt=nothing)) == receipt(Done("stopped")) == ""
    assert line(words=0, first_word=None) == "Sonnet 5.5 · $0.012"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{OLD} · $0.0123", "Sonnet 5.5 · $0.012"),
        (f"{OLD} · at most $0.5 on your key", "Sonnet 5.5 · at most $0.50 on your key"),
        (f"{OLD} · from cache · free", "Sonnet 5.5 · free"),
        ("\u2063ⓘ Stopped.  \n" + OLD[1:], "ⓘ Stopped.\n\nSonnet 5.5"),
        ("\u2063demo · 1 word · first word after 0.0 s", "Demo"),
    ],
)
def test_a_receipt_of_an_earlier_release_is_shown_as_one_of_today(old: str, new: str) -> None:
    """Its parts are the details; a note before it stays."""
    before, seen, details = renewed(old).split("\u2063")
    assert (before, seen) == ("", new)
    assert details.split("  \n")[1:] == old[1:].rpartition("\n")[2].split(" · ")


@pytest.mark.parametrize("words", [OLD[1:], "\u2063ⓘ Stopped.", "\u2063\u2063Claude is busy."])
def test_nothing_else_is_taken_for_a_receipt(words: str) -> None:
    """Thoughts that read like one, and other notes, stay as they are."""
    assert renewed(words) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [(2.5, "$2.50"), (0.0123, "$0.012"), (0.0052, "$0.005"), (0.00041, "$0.0004")],
)
def test_a_price_is_brief(amount: float, words: str) -> None:
    """As far as a reader wants to know it."""
    assert brief(amount) == words
    assert brief(0.00001) == "under $0.0001"


@pytest.mark.parametrize(
    ("amount", "words"), [(0.0, "$0.00"), (0.00004, "$0.0000"), (0.0123, "$0.0123"), (5, "$5.00")]
)
def test_small_amounts_have_more_digits(amount: float, words: str) -> None:
    """A reply costs fractions of a cent, a day dollars."""
    assert dollars(amount) == words


def test_the_allowance_names_messages_and_money() -> None:
    """The sentence has the messages and the money left, and is empty without limits."""
    assert text("allowance", rates=[(3, 1, "day")], left=0.5) == (
        "3 more messages today · $0.50 left today"
    )
    assert text("allowance", rates=[], left=None) == ""


def test_where_no_answer_can_be_paid_for_that_is_said() -> None:
    """Neither an amount that pays for nothing, nor how often one may ask."""
    assert (
        text("allowance", rates=[(20, 1, "minute")], left=0)
        == "Not enough left today for another answer."
    )
