"""A conversation as Gradio's messages, and back: the words of people and Claude, and the notes
beside them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from streamchat import texts
from streamchat.events import (
    Citation,
    Done,
    Ending,
    Event,
    Failed,
    Found,
    Message,
    Notice,
    Search,
    Text,
    Thinking,
)
from streamchat.replies import Reply
from streamchat.ui import cited, sources
from streamchat.ui.composing import Composing
from streamchat.ui.content import NOTE as MARK
from streamchat.ui.content import inert, plain
from streamchat.ui.continuing import together
from streamchat.ui.markdown import verbatim, written
from streamchat.ui.notes import (
    NOTE,
    Shown,
    callout,
    closing,
    is_note,
    made,
    message_of,
    note,
)
from streamchat.ui.receipts import renewed

# beside what stands here: the parts of which a transcript consists
__all__ = ["NOTE", "Shown", "is_note", "message_of", "note"]

# which all messages have that come from Gradio
MADE = {"role", "metadata", "content", "options"}
# bytes of a message's JSON beside its text
ENVELOPE = 120
# of which JSON makes two bytes
SHORT = [b'"', b"\\", *(bytes([number]) for number in b"\b\t\n\f\r")]
# of which it makes six
CONTROLS = bytes(number for number in range(32) if bytes([number]) not in SHORT)


class Transcript:
    """The events of a reply as messages to show. `begun` is text that goes before it, and `earlier`
    has what that cost."""

    def __init__(self, reply: Reply, *, begun: str = "", earlier: Ending | None = None) -> None:
        self._reply = reply
        self._begun = begun
        self._earlier = earlier
        self._thoughts: list[str] = []
        self._texts: list[str] = []
        self._written = Composing(begun)
        self._notices: list[Notice] = []
        # how many of them came before the last words
        self._passed = 0
        self._ending: Ending | None = None

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Text():
                    self._texts.append(event.text)
                    self._passed = len(self._notices)
                    self._written.say(event.text)
                case Search():
                    self._written.look(event)
                case Found():
                    self._written.find(event)
                case Citation():
                    self._written.cite(event)
                case Thinking():
                    self._thoughts.append(event.text)
                case Notice():
                    self._notices.append(event)
                case Done() | Failed():
                    self._ending = event
                    self._passed = len(self._notices)

    def messages(self, *, waiting: bool = False) -> list[Shown]:
        """The messages so far. Before the first one, a sign of life if the reader is `waiting`."""
        begun, quiet = self._begun, not self._texts and not self._ending
        text = self._written.text(is_whole=self._ending is not None)
        shown = [self._thought(waiting=quiet)] if self._thoughts else []
        if instead := [notice for notice in self._notices if notice.instead]:
            shown = [callout(texts.worded(notice)) for notice in instead] + shown
            shown = [made("assistant", begun), *shown] if begun else shown
            text = "".join(self._texts)
            shown += [message_of("assistant", text) | {"metadata": {"id": NOTE}}] if text else []
        elif text:
            shown.append(made("assistant", text))
        # of the passing ones the last, until words follow
        passed = max(self._passed, len(self._notices) - 1)
        notices = [
            it for number, it in enumerate(self._notices) if not it.passing or number >= passed
        ]
        shown += [note(texts.worded(notice)) for notice in notices if not notice.instead]
        if ending := self._ending and together(self._earlier, self._ending):
            shown += closing(ending, cited.spoken(begun or text))
        if waiting and not shown:
            shown.append(
                message_of("assistant", "")
                | {"metadata": {"title": "Thinking", "status": "pending"}}
            )
        return shown

    def _thought(self, *, waiting: bool) -> Shown:
        metadata: Shown = {"title": "Thinking", "status": "pending" if waiting else "done"}
        if not waiting:
            first = self._reply.first_at
            until = first.get(Text) or first.get(Done) or first.get(Failed) or first[Thinking]
            # Gradio hides a zero
            metadata["duration"] = max(0.1, round(until - first[Thinking], 1))
        end = "" if waiting else MARK
        return made("assistant", plain("".join(self._thoughts)) + end) | {"metadata": metadata}


def conversation(history: Sequence[Shown]) -> list[Message]:
    """The conversation in a history of Gradio's messages, without thoughts, notes and sources."""
    return list(filter(None, map(_spoken, kept(history))))


def kept(history: Sequence[Shown]) -> list[Message]:
    """The conversation as it is kept, with the marks of sources and searches."""
    return [
        Message(message["role"], text_of(message))
        for message in history
        if message["role"] in ("user", "assistant") and not is_aside(message)
    ]


def _spoken(message: Message) -> Message | None:
    """The message without marks; None for an answer without words."""
    if message.role == "user" or not cited.has_marks(message.text):
        return message
    words = cited.spoken(message.text)
    return Message("assistant", words) if words.strip() else None


def ended(messages: Sequence[Shown]) -> list[Shown]:
    """The messages, whose last answer is not written any more."""
    return [
        message | made("assistant", cited.ended(text_of(message)))
        if message["role"] == "assistant" and cited.has_marks(text_of(message))
        else message
        for message in messages
    ]


def continued(messages: Sequence[Shown]) -> tuple[list[Shown], str]:
    """The messages without the last answer's text and notes, and that text."""
    *before, last = [message for message in messages if not is_note(message)]
    if last["role"] != "assistant" or is_aside(last):
        return [*before, last], ""
    return before, text_of(last)


def text_of(message: Shown) -> str:
    return "\n\n".join(part["text"] for part in message["content"] if part["type"] == "text")


def turns(history: Sequence[Shown]) -> int:
    """The number of the user's turns in a page's history. Nothing else of it is trusted."""
    return sum(message.get("role") == "user" for message in history if isinstance(message, dict))


def turns_left(history: Sequence[Shown], place: int) -> int:
    """The number of turns before the question at `place`, which Gradio removes with unanswered ones
    right before it."""
    left = list(history[:place])
    while left and left[-1].get("role") == "user":
        left.pop()
    return turns(left)


def size_of(messages: Sequence[Shown]) -> int:
    """The approximate size of the messages as JSON, in bytes."""
    return sum(
        ENVELOPE + escaped(part.get("text", ""))
        for message in messages
        for part in message["content"]
    )


def escaped(text: str) -> int:
    """The size of the text as JSON, in bytes."""
    if len(text) < 1_000:
        return len(json.dumps(text, ensure_ascii=False).encode(errors="replace"))
    plain = text.encode(errors="replace")
    return (
        len(plain)
        + 5 * (len(plain) - len(plain.translate(None, CONTROLS)))
        + sum(map(plain.count, SHORT))
    )


def is_aside(message: Shown) -> bool:
    return is_note(message) or bool((message.get("metadata") or {}).get("title"))


def is_made(message: Shown) -> bool:
    """Whether the message is Gradio's own form of text, which it would return unchanged."""
    return message.keys() == MADE and all(
        part.keys() == {"type", "text"} for part in message["content"]
    )


def drawn(message: Shown) -> Shown:
    """The message as the page draws it: a person's text literally, an answer as Markdown without
    HTML."""
    texts = [part["text"] for part in message["content"] if part["type"] == "text"]
    if message["role"] == "user":
        texts = [verbatim(written(texts))]
    elif is_aside(message):
        texts = [inert(renewed(text)) for text in texts]
    else:
        texts = [piece for text in texts for piece in sources.drawn(text)]
    return message | {"content": [{"type": "text", "text": text} for text in texts]}


def exact(message: Any) -> Any:
    """The message with its text as a part, because Gradio would remove the indentation of a str."""
    if isinstance(message, dict) and isinstance(message.get("content"), str):
        return made(message["role"], message["content"]) | {"metadata": message.get("metadata")}
    return message
