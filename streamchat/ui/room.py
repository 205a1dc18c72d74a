"""Limits on the messages of one page, which sends its whole chat back with each question."""

from collections.abc import Sequence

from streamchat.errors import ChatFull, MessageTooLong
from streamchat.texts import text
from streamchat.ui.transcript import Shown, is_note, text_of

# of one message; Gradio works on it several times, also for each frame of its answer
MAX_CHARACTERS = 1_000_000
MAX_MESSAGES = 900  # of one chat


def check_room(message: str, history: Sequence[Shown]) -> None:
    """Raises `MessageTooLong` or `ChatFull` over the page's limits."""
    if len(history) >= MAX_MESSAGES:
        raise ChatFull
    if len(message) > MAX_CHARACTERS:
        raise MessageTooLong(most=MAX_CHARACTERS)


def with_last_refused(messages: Sequence[Shown]) -> list[Shown]:
    """The messages without the questions refused because the chat was full, except the last one."""
    if len(messages) <= MAX_MESSAGES:
        return list(messages)
    refusals = {place for place, message in enumerate(messages[:-1]) if _says_full(message)}
    return [
        it
        for place, it in enumerate(messages)
        if place not in refusals and place + 1 not in refusals
    ]


def _says_full(message: Shown) -> bool:
    return isinstance(message, dict) and is_note(message) and text("chat_full") in text_of(message)
