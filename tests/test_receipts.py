from dataclasses import asdict

import pytest

from streamchat.events import Receipt
from streamchat.texts import dollars, text

RECEIPT = Receipt("claude-sonnet-5-5", "end_turn", 1_214, 9.0, 0.84, 71.4, 0.0123, 0.0)


def changed(**fields: object) -> str:
    return text("receipt", **asdict(RECEIPT) | fields)


def test_a_receipt_is_one_line() -> None:
    """The model, the words, the speed and the price."""
    assert (
        changed() == "claude-sonnet-5-5 · 1,214 words · first token 0.8 s · 71 tokens/s · $0.0123"
    )


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"saved": 0.002}, "$0.0123 · caching saved $0.0020"),
        ({"own_key": True}, "$0.0123 on your key"),
        ({"assumed": 0.01}, "tokens/s · at most $0.0123"),
        ({"assumed": 0.01, "own_key": True}, "at most $0.0123 on your key"),
        ({"shared": True, "cost": 0.0}, "from cache · free"),
        ({"closed": True}, "$0.0123 · stopped: connection to Claude closed"),
        ({"cost": 0.0}, "71 tokens/s"),
    ],
)
def test_a_receipt_says_who_paid_and_what_a_stop_did(fields: dict[str, object], end: str) -> None:
    """Anything out of the ordinary stands at the end."""
    assert changed(**fields).endswith(end)


def test_for_nothing_there_is_no_receipt() -> None:
    """A reply that failed before its first word and cost nothing has none; one that cost something
    has."""
    assert changed(words=0, cost=0.0) == ""
    assert "$0.0123" in changed(words=0, first_word=None)


@pytest.mark.parametrize(
    ("amount", "words"), [(0.0, "$0.00"), (0.00004, "$0.0000"), (0.0123, "$0.0123"), (5, "$5.00")]
)
def test_small_amounts_have_more_digits(amount: float, words: str) -> None:
    """A reply costs fractions of a cent, a day dollars."""
    assert dollars(amount) == words


def test_what_is_allowed_is_said_beforehand() -> None:
    """How often, and how much is left; nothing where nothing holds a visitor up."""
    rates = [(20, 1, "minute"), (300, 1, "day")]
    assert (
        text("allowance", rates=rates, left=0.5)
        == "You can ask 20 times a minute and 300 times a day. $0.50 left today."
    )
    assert text("allowance", rates=[], left=None) == ""


def test_where_no_answer_can_be_paid_for_that_is_said() -> None:
    """Neither an amount that pays for nothing, nor how often one may ask."""
    assert (
        text("allowance", rates=[(20, 1, "minute")], left=0)
        == "Not enough left today for another answer."
    )
