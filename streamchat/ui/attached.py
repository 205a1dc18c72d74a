"""The files of messages, kept apart from the words, so that neither Gradio nor a page can change
them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from streamchat.chat import restored
from streamchat.events import Failed, Message
from streamchat.replies import Reply
from streamchat.ui.cited import spoken, with_sources
from streamchat.ui.transcript import Shown, kept, message_of
from streamchat.ui.typed import as_typed

Fields = dict[str, Any]

# the header by which a page names the files of a message; attach.js sets it
HEADER = "x-files"
DIGEST = re.compile("[0-9a-f]{64}")
MAX_FILES = 20


def named(request: gr.Request) -> list[str]:
    """The digests of the files that the page sends with its message."""
    given = [each.strip() for each in request.headers.get(HEADER, "").split(",")[:MAX_FILES]]
    return list(dict.fromkeys(filter(DIGEST.fullmatch, given)))


def files_of(message: Shown) -> list[Fields]:
    return list(message.get("files", ()))


def with_files(message: Shown, files: Sequence[Fields]) -> Shown:
    return message | {"files": list(files)} if files else message


def question(message: str, replaced: Sequence[Shown], files: Sequence[Fields]) -> Shown:
    """The message with its files, or with those of the question that it replaces."""
    files = files or (files_of(replaced[0]) if replaced else ())
    return with_files(message_of("user", as_typed(message, replaced)), files)


def bare(message: Any) -> Any:
    """The message as Gradio knows messages."""
    if isinstance(message, dict) and "files" in message:
        return {name: value for name, value in message.items() if name != "files"}
    return message


def digests(messages: Iterable[Shown]) -> list[str]:
    """The digests of all files of the messages."""
    found = (file["digest"] for message in messages for file in files_of(message))
    return list(dict.fromkeys(found))


def said(history: Sequence[Shown]) -> list[Message]:
    """The conversation for Claude, with the sources of all answers but one that it is to continue,
    and with the files, whose data is not loaded."""
    *before, last = as_kept(history) or [Message("user", "")]
    words = [replace(each, text=with_sources(each.text)) for each in before]
    words.append(replace(last, text=spoken(last.text)))
    return [each for each in words if each.text.strip() or each.files]


def as_kept(history: Iterable[Shown]) -> list[Message]:
    """The conversation as it is kept, with its sources and with the files, whose data is not
    loaded."""
    return [
        Message(words.role, words.text, tuple(map(restored, files_of(message))))
        for message in history
        for words in kept([message])
    ]


def without_rejected(messages: list[Shown], reply: Reply | None) -> list[Shown]:
    """The messages without the files of the last question if Claude could not read one of them:
    with it no further question would be answered."""
    ending = reply.ending if reply else None
    if not (isinstance(ending, Failed) and ending.code == "attachment_rejected"):
        return messages
    last = max(number for number, each in enumerate(messages) if each["role"] == "user")
    return [bare(each) if number == last else each for number, each in enumerate(messages)]
