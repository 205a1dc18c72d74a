"""The progress of one reply over all its attempts, and the decision what to try next."""

import random
from collections.abc import Iterator

from streamchat.errors import ClaudeError
from streamchat.events import (
    Citation,
    Conversation,
    Done,
    Event,
    Found,
    Message,
    Notice,
    Search,
    Text,
    Thinking,
    Usage,
)
from streamchat.sources.claude.blocks import TOOL
from streamchat.sources.claude.evidence import Block, Evidence
from streamchat.sources.claude.seam import Seam

ATTEMPTS = 4
# seconds; a longer wait is not made, and the error is shown at once
RETRY_AFTER_CAP = 30.0

GO_ON = (
    "Your previous response was interrupted. These are its last words:"
    " <last_words>{anchor}</last_words>\n\nBegin by repeating exactly these last words, without the"
    " tags, and then go on from there to the end, as if there had been no interruption. Do not"
    " comment on it, and repeat nothing else."
)


class Progress:
    """The text and the usage so far. After some text, a retryable failure is followed by a request
    to continue.

    A conversation that ends with the assistant's words asks for the rest of them: they count as the
    text so far.
    """

    def __init__(self, conversation: Conversation, *, continuations: int) -> None:
        begun = conversation[-1].role == "assistant"
        self._asked = conversation[:-1] if begun else conversation
        self._said = [conversation[-1].text] if begun else []
        self._continuations = continuations
        self._spent = self._before = Usage()
        # since the last word
        self._failures = 0
        self._has_words = False  # of this attempt
        self._has_thoughts = False
        # between the thoughts of the attempts before and those of this one
        self._paragraph = ""
        self._seam = Seam("")
        # the attempt ended well, and Claude waits to be asked to go on
        self.paused = False
        self.evidence = Evidence()
        # of the answer that Claude has paused, with searches in it
        self._blocks: tuple[Block, ...] = ()
        self._sent = self._asked
        # the next words come after the results of a search
        self._apart = False

    def begin(self) -> Conversation:
        """Begins an attempt; returns the conversation to send."""
        said = "".join(self._said)
        self._before = self._spent
        self._has_words = self.paused = False
        self._paragraph = "\n\n" if self._has_thoughts else ""
        self._seam = Seam("" if self._blocks else said)
        if self._blocks:
            return (*self._sent, Message("assistant", "", blocks=self._blocks))
        self._sent = self._asked
        if self._seam.anchor:
            go_on = GO_ON.format(anchor=self._seam.anchor)
            last = Message("assistant", said.rstrip()), Message("user", go_on)
            self._sent = (*self._asked, *last)
        return self._sent

    def pause(self, blocks: list[Block]) -> None:
        """Has the next attempt go on from these blocks and those before them, if one of them is of
        a search. Otherwise it goes on from the text."""
        if self._blocks or any(block.get("type") == TOOL for block in blocks):
            self._blocks = (*self._blocks, *blocks)

    def flatten(self) -> bool:
        """Has the next attempt go on from the text. Returns false if it would do that anyway."""
        had, self._blocks = bool(self._blocks), ()
        return had

    def for_reader(self, event: Event) -> Iterator[Event]:
        """The events for the reader that follow from this event of the attempt."""
        match event:
            case Text():
                yield from self._text(self._seam.feed(event.text))
            case Thinking() if self._seam.anchor:
                # it is about going on, which no reader asked for
                pass
            case Thinking():
                yield Thinking(self._paragraph + event.text)
                self._paragraph, self._has_thoughts = "", True
            case Usage():
                self._spent = self._before + event
                yield self._spent
            case Search() | Found() | Citation():
                yield from self._text(self._seam.end())
                self._apart = self._apart or isinstance(event, Found)
                yield event
            case Done("pause_turn") if self._continuations:
                self._continuations -= 1
                self.paused = True
                yield from self._text(self._seam.end())
                yield Notice("claude_paused", passing=True)
            case Done():
                yield from self._text(self._seam.end())
                yield from self.evidence.cut_off()
                yield Done(event.reason, self._before + event.usage)
            case _:
                yield event

    def fail(self, error: ClaudeError) -> tuple[float, list[Event]] | None:
        """Ends an attempt. Returns the seconds until the next one and events for the reader, or
        None if there is none."""
        interrupted = self._has_words
        self.flatten()
        self._failures = 1 if interrupted else self._failures + 1
        pause = _pause(error, self._failures)
        if pause is None or (interrupted and not self._continuations):
            return None
        self._continuations -= interrupted
        lasting = [Notice("interrupted", {"error": error.code})] if interrupted else []
        cut_off = self.evidence.cut_off()
        return pause, [*cut_off, *lasting, self._retrying(error, pause)]

    def _retrying(self, error: ClaudeError, pause: float) -> Notice:
        numbers = {"attempt": self._failures, "attempts": ATTEMPTS - 1, "seconds": round(pause)}
        return Notice("retrying", {"error": error.code, **numbers}, passing=True)

    def _text(self, text: str) -> Iterator[Text]:
        if self._apart and text.strip():
            text, self._apart = _apart("".join(self._said[-2:]), text), False
        if text and not self._apart:
            self._said.append(text)
            self._has_words = self._has_words or not text.isspace()
            yield Text(text)


def _apart(before: str, text: str) -> str:
    """The text as a paragraph of its own."""
    missing = 2 - (len(before) - len(before.rstrip("\n")))
    return "\n" * missing * bool(before.strip()) + text.lstrip("\n")


def _pause(error: ClaudeError, failures: int) -> float | None:
    """Seconds until the next attempt, or None if there should be none."""
    if not error.retryable or failures == ATTEMPTS:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= RETRY_AFTER_CAP else None
    # jitter, not a secret
    return 2.0 ** (failures - 1) * random.uniform(1, 1.5)  # noqa: S311
