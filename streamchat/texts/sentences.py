"""Finds the sentence for a code, and fills in its values."""

from collections.abc import Mapping
from typing import Protocol

from streamchat.texts.amounts import spoken
from streamchat.texts.english import (
    AREAS,
    CAUSES,
    ENDINGS,
    GOOD_FOR,
    PAGES,
    UNKNOWN,
    UNKNOWN_ENDING,
)

SENTENCES = {code: sentence for area in AREAS for code, sentence in area.items()}


class HasSentence(Protocol):
    """An error or an event with the code and the values of its sentence."""

    @property
    def sentence(self) -> str: ...

    @property
    def values(self) -> Mapping[str, object]: ...


def text(code: str, **values: object) -> str:
    """The sentence with its values. Raises `KeyError` for an unknown code or a missing value."""
    sentence = SENTENCES[code]
    return sentence.format(**values) if isinstance(sentence, str) else sentence(**values)


def worded(told: HasSentence) -> str:
    """The sentence of an error or an event; a general one for codes of a later release."""
    try:
        return text(told.sentence, **told.values)
    except (KeyError, TypeError, ValueError):
        return UNKNOWN


def ending(reason: str) -> str:
    """The sentence about an answer that ended early for this reason."""
    return ENDINGS.get(reason, UNKNOWN_ENDING)


def for_owner(cause: str) -> str:
    """The owner's sentence about an error that only the owner can mend; empty for others."""
    return CAUSES.get(cause, "")


def good_for(line: str) -> str:
    """The strengths of a line of models; empty for an unknown one."""
    return GOOD_FOR.get(line, "")


def page_words(page: str) -> Mapping[str, str]:
    """All words of a page's HTML and scripts, by their codes."""
    return PAGES[page]


def failure(sentence: str, retry_after: float | None = None) -> str:
    """The sentence, and the time after which to try again if it is known."""
    return f"{sentence} {text('try_again', time=spoken(retry_after))}" if retry_after else sentence
