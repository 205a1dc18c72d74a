"""Puts a conversation into the form that sources expect."""

from collections.abc import Sequence

from streamchat.errors import EmptyMessage, TooLong
from streamchat.events import Conversation, Message, Role

# of a conversation: about a million tokens, more than any model takes
MAX_CHARACTERS = 4_000_000


def checked(messages: Sequence[Message], *, most: int = MAX_CHARACTERS) -> Conversation:
    """The conversation with alternating turns, none empty, and the user's first. Raises
    `EmptyMessage` without a question, and `TooLong`."""
    if not messages or not messages[-1].text.strip():
        raise EmptyMessage
    check_length(messages, most)
    turns: list[tuple[Role, list[str]]] = []
    for message in messages:
        if not message.text.strip() or (not turns and message.role == "assistant"):
            continue
        if turns and turns[-1][0] == message.role:
            turns[-1][1].append(message.text)
        else:
            turns.append((message.role, [message.text]))
    if not turns:
        raise EmptyMessage
    return tuple(Message(role, "\n\n".join(texts)) for role, texts in turns)


def check_length(messages: Sequence[Message], most: int) -> None:
    """Raises `TooLong` for a conversation that no model accepts."""
    if sum(len(message.text) for message in messages) > most:
        raise TooLong
