"""The progress of one reply over all its attempts, and the decision what to try next."""

import random
from collections.abc import Iterator

from streamchat.errors import ClaudeError
from streamchat.events import Conversation, Done, Event, Message, Notice, Text, Thinking, Usage
from streamchat.sources.claude.seam import Seam

ATTEMPTS = 4
# seconds; who is told to wait longer is told so at once
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

    def begin(self) -> Conversation:
        """Begins an attempt; returns the conversation to send."""
        said = "".join(self._said)
        self._before = self._spent
        self._has_words = self.paused = False
        self._paragraph = "\n\n" if self._has_thoughts else ""
        self._seam = Seam(said)
        if not self._seam.anchor:
            return self._asked
        go_on = GO_ON.format(anchor=self._seam.anchor)
        return (*self._asked, Message("assistant", said.rstrip()), Message("user", go_on))

    def told(self, event: Event) -> Iterator[Event]:
        """The events that a reader gets for this event of the attempt."""
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
            case Done("pause_turn") if self._continuations:
                self._continuations -= 1
                self.paused = True
                yield from self._text(self._seam.end())
                yield Notice("claude_paused", passing=True)
            case Done():
                yield from self._text(self._seam.end())
                yield Done(event.reason, self._before + event.usage)
            case _:
                yield event

    def fail(self, error: ClaudeError) -> tuple[float, list[Notice]] | None:
        """Ends an attempt. Returns the seconds until the next one and notices for the reader, or
        None if there is none."""
        interrupted = self._has_words
        self._failures = 1 if interrupted else self._failures + 1
        pause = _pause(error, self._failures)
        if pause is None or (interrupted and not self._continuations):
            return None
        self._continuations -= interrupted
        lasting = [Notice("interrupted", {"error": error.code})] if interrupted else []
        return pause, [*lasting, self._retrying(error, pause)]

    def _retrying(self, error: ClaudeError, pause: float) -> Notice:
        numbers = {"attempt": self._failures, "attempts": ATTEMPTS - 1, "seconds": round(pause)}
        return Notice("retrying", {"error": error.code, **numbers}, passing=True)

    def _text(self, text: str) -> Iterator[Text]:
        if text:
            self._said.append(text)
            self._has_words = self._has_words or not text.isspace()
            yield Text(text)


def _pause(error: ClaudeError, failures: int) -> float | None:
    """Seconds until the next attempt, or None if there should be none."""
    if not error.retryable or failures == ATTEMPTS:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= RETRY_AFTER_CAP else None
    # spreads visitors, guards nothing
    return 2.0 ** (failures - 1) * random.uniform(1, 1.5)  # noqa: S311
