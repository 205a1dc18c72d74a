"""Puts a conversation into the form that sources expect."""

from collections.abc import Sequence

from streamchat.errors import EmptyMessage, TooLong
from streamchat.events import Conversation, Message

# of a conversation: about a million tokens, more than any model takes
MAX_CHARACTERS = 4_000_000


def checked(messages: Sequence[Message], *, most: int = MAX_CHARACTERS) -> Conversation:
    """The conversation with alternating turns, none empty, and the user's first. Raises
    `EmptyMessage` without a question, and `TooLong`."""
    if not messages or _is_empty(messages[-1]):
        raise EmptyMessage
    check_length(messages, most)
    turns: list[Message] = []
    for message in messages:
        if _is_empty(message) or (not turns and message.role == "assistant"):
            continue
        if turns and turns[-1].role == message.role:
            turns[-1] = _joined(turns[-1], message)
        else:
            turns.append(message)
    if not turns:
        raise EmptyMessage
    return tuple(turns)


def _is_empty(message: Message) -> bool:
    return not message.files and not message.text.strip()


def _joined(one: Message, other: Message) -> Message:
    texts = [message.text for message in (one, other) if message.text.strip()]
    return Message(one.role, "\n\n".join(texts), (*one.files, *other.files))


def check_length(messages: Sequence[Message], most: int) -> None:
    """Raises `TooLong` for a conversation that no model accepts."""
    if sum(len(message.text) for message in messages) > most:
        raise TooLong
