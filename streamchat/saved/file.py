"""Conversations as a file: as JSON, which can be imported again, and as Markdown."""

import re
from collections.abc import Sequence
from typing import Any

from streamchat.events import Message, well_formed
from streamchat.web.problem import Unfit

FORMAT = "streamchat-conversations"
VERSION = 1
MAX_CONVERSATIONS = 1_000
# of one conversation, as a page has it
MAX_MESSAGES = 900
MAX_TITLE = 120
NAMES = {"user": "You", "assistant": "Claude"}

Told = dict[str, Any]


def told(title: str, at: float, messages: Sequence[Message]) -> Told:
    """A conversation as JSON."""
    turns = [{"role": message.role, "text": message.text} for message in messages]
    return {"title": title, "at": at, "messages": turns}


def file_of(conversations: list[Told]) -> Told:
    return {"format": FORMAT, "version": VERSION, "conversations": conversations}


def markdown(title: str, messages: Sequence[Message]) -> str:
    parts = [f"## {NAMES[message.role]}\n\n{message.text.strip()}" for message in messages]
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def read(file: Told) -> list[tuple[str, list[Message]]]:
    """Titles and messages. Raises `Unfit` for anything but what `file_of` makes."""
    match file:
        case {"format": "streamchat-conversations", "version": 1, "conversations": [*found]}:
            if len(found) <= MAX_CONVERSATIONS:
                return [_conversation(each) for each in found]
    raise Unfit(422, "bad_file")


def _conversation(given: Any) -> tuple[str, list[Message]]:
    match given:
        case {"title": str(title), "messages": [_, *_] as messages} if (
            len(messages) <= MAX_MESSAGES and len(title) <= 10 * MAX_TITLE
        ):
            turns = list(map(_message, messages))
            if turns[0].role == "user":
                return one_line(title)[:MAX_TITLE], turns
    raise Unfit(422, "bad_file")


def _message(given: Any) -> Message:
    match given:
        case {"role": "user" | "assistant" as role, "text": str(text)} if text.strip():
            return Message(role, well_formed(text))
    raise Unfit(422, "bad_file")


def one_line(title: str) -> str:
    """The title without control characters, line ends and halves of characters."""
    words = re.sub(r"[\x00-\x1f\x7f]", " ", title).encode(errors="replace").decode()
    return " ".join(words.split())
