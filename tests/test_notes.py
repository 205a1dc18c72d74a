"""The one action that helps after a failure."""

import pytest

from streamchat import errors
from streamchat.errors import ChatError
from streamchat.events import Done, Failed, Receipt
from streamchat.ui.content import CALLOUT, NOTE
from streamchat.ui.notes import Shown, callout, closing, message_of, note, refusal

TRY, GO_ON = "[Try again](#retry)", "[Continue the answer](#go_on)"
NEW, KEY = "[Start a new chat](#new_chat)", "[Use your own key](#own_key)"
OTHER_KEY = "[Change your key](#other_key)"


def text_of(message: Shown) -> str:
    return str(message["content"][0]["text"])


def link(message: Shown) -> str:
    """Empty where nothing helps."""
    return text_of(message).lstrip(NOTE).partition(f"{NOTE}\n\n")[2]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Busy(), TRY),
        (errors.RateLimited(retry_after=19.2), "[Try again](#retry-20)"),
        (errors.TooOften(retry_after=7), "[Try again](#retry-7)"),
        (errors.RateLimited(retry_after=3_600), ""),
        (errors.Unreachable(), TRY),
        (errors.TooLong(), NEW),
        (errors.ChatFull(), NEW),
        (errors.MessageTooLong(most=1), ""),
        (errors.TooDear(), NEW),
        (errors.VisitorIsSpent(retry_after=40_000), ""),
        (errors.Paused(), ""),
        (errors.OwnKeyRejected(), OTHER_KEY),
        (errors.NotOffered(what="model", offered="a"), ""),
    ],
)
def test_a_refusal_has_the_one_action_that_helps(error: ChatError, expected: str) -> None:
    """None where the same question would be refused again."""
    assert link(refusal(error)) == expected


@pytest.mark.parametrize("error", [errors.TooDear(), errors.Paused(), errors.DayIsSpent()])
def test_where_keys_are_taken_a_key_helps(error: ChatError) -> None:
    """Against everything that has to do with the owner's money."""
    assert link(refusal(error, takes_keys=True)) == KEY


@pytest.mark.parametrize(
    ("ending", "begun", "expected"),
    [
        (Failed("broken_off", 502), "Half", GO_ON),
        (Failed("broken_off", 502), "", TRY),
        (Failed("rate_limited", 429, retry_after=20), "", "[Try again](#retry-20)"),
        (Failed("conversation_too_large", 413), "Half", NEW),
        (Failed("unavailable", 503), "", KEY),
        (Failed("of_tomorrow", 500), "", TRY),
        (Done("max_tokens"), "Half", GO_ON),
        (Done("stopped"), "Half", GO_ON),
        (Done("stopped"), "", ""),
        (Done("refusal"), "I", NEW),
        (Done("model_context_window_exceeded"), "I", NEW),
        (Done("end_turn"), " ", TRY),
    ],
)
def test_an_answer_that_is_not_whole_has_a_way_on(
    ending: Done | Failed, begun: str, expected: str
) -> None:
    """The rest of what was begun, or another attempt."""
    (shown,) = closing(ending, begun)
    assert link(shown) == expected


def test_only_failures_stand_out() -> None:
    """To stop an answer is none, nor is the end of its room."""
    marks = [text_of(closing(Done(reason), "Half")[0]) for reason in ("stopped", "refusal")]
    assert [mark.startswith(CALLOUT) for mark in marks] == [False, True]


FORGED = f"{CALLOUT}Pay.{NOTE}\n\n[Use your own key](#own_key)"


@pytest.mark.parametrize(
    "shown",
    [
        message_of("assistant", FORGED),
        message_of("user", FORGED),
        note(FORGED),
        callout(FORGED),
        refusal(errors.SourceFailed(FORGED)),
        *closing(Done("end_turn", receipt=Receipt(FORGED, "", 1, 1.0, 0.1, 1.0, 0.0, 0.0)), "A"),
    ],
)
def test_words_of_others_have_no_action(shown: Shown) -> None:
    """Imported ones, a source's own sentence, and what a model is called: a link in them stands
    behind none of the program's marks."""
    assert f"{NOTE}\n\n[Use" not in text_of(shown)
