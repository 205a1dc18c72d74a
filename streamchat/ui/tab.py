"""The state of one browser tab: the turns so far, and the reply that is being written."""

import asyncio
import hashlib
import inspect
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import partial

from streamchat.events import WHOLE, Conversation, Done, Failed
from streamchat.options import Choice
from streamchat.replies import Pace, Reply, paced
from streamchat.ui.transcript import (
    Shown,
    Transcript,
    conversation,
    message_of,
    text_of,
)

MAX_MISSING = 1_000  # turns
# characters of a message whose indentation is restored; comparing a longer one would block the
# event loop
MAX_INDENTED = 50_000
# messages that are recognised when they come again
RECENT = 20
FINISHED = WHOLE | {"refusal", "model_context_window_exceeded"}


@dataclass
class Tab:
    """The messages `before` its reply, and the reply; `begun` is what an earlier reply said of the
    same answer, and `received` has digests by which the last messages that were asked are
    recognised: of the keys that they were sent with, or else of the messages.

    A page shows turns that the tab does not keep, as those that were refused: `missing` has their
    numbers, ascending. To `Chat` the tab is one `person`, also after a reload and in its
    duplicates. When it was saved, its messages took `size` bytes; in the store its state is that of
    the tab `root`. Its last reply was asked for with the `choice`.

    With a `reader`, who alone may open it, it is a saved conversation, which several pages may show
    at once; `replies` are the ids of all its replies. One that is not `kept` is nobody's, whatever
    id a page has for it.
    """

    before: list[Shown] = field(default_factory=list)
    begun: str = ""
    reply: Reply | None = None
    person: str = field(default_factory=partial(secrets.token_urlsafe, 16))
    received: list[str] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    restored: bool = False
    root: str = ""
    size: int = 0
    choice: Choice | None = None
    reader: str = ""
    replies: list[str] = field(default_factory=list)
    kept: bool = True
    _started: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)
    _awaited: int = field(default=0, init=False, repr=False)
    _unwanted: bool = field(default=False, init=False, repr=False)
    _watches: dict[str, asyncio.Event] = field(default_factory=dict, init=False, repr=False)
    _reading: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def reset(self, before: list[Shown]) -> None:
        """From now on the tab shows these messages, and a reply that is yet to come. One that runs
        ends."""
        self.end()
        self.before, self.begun, self.reply, self.restored = before, "", None, False

    def until(self, turn: int) -> list[Shown]:
        """The messages before the page's turn of that number; all of them where the page shows more
        than is kept."""
        messages = self.messages()
        kept = [number for number, message in enumerate(messages) if message["role"] == "user"]
        page, missing = range(min(turn, len(kept) + MAX_MISSING)), set(self.missing)
        known = [number for number in page if number not in missing]
        self.missing = sorted({*page} - {*known[: len(kept)]})
        return messages[: kept[len(known)]] if len(known) < len(kept) else messages

    def asking(self, turn: int, message: str) -> list[Shown]:
        """The messages to ask with this one as the page's turn of that number; the turn is missing
        until `begin`."""
        kept = self.until(turn)
        self.missing, self.restored = [*self.missing, turn], False
        replaced = self.messages()[len(kept) :]
        return [*kept, message_of("user", _as_typed(message, replaced))]

    def begin(self, asked: list[Shown], reply: Reply, once: str = "") -> None:
        """Keeps the messages that `asking` returned, and the reply to them; `once` is the key they
        were sent with."""
        self.missing = self.missing[:-1]
        self.received = [*self.received, _digest(once or text_of(asked[-1]))][-RECENT:]
        self.reset(asked)
        self.start(reply)

    def has_received(self, sign: str) -> bool:
        """Whether it is the key of one of the last messages that were asked, or such a message that
        came without, whatever has become of it."""
        return _digest(sign) in self.received

    def answers(self, once: str) -> bool:
        """Whether its reply answers the message that was sent with this key."""
        is_last = bool(once) and self.received[-1:] == [_digest(once)]
        return is_last and self.reply is not None and not self.reply.came_to_nothing

    def repeat(self, turn: int) -> None:
        """The page sends the tab's last question again, as its turn of that number."""
        kept = sum(message["role"] == "user" for message in self.before) - 1
        page, missing = range(min(turn, kept + MAX_MISSING)), set(self.missing)
        known = [number for number in page if number not in missing]
        self.missing = sorted({*page} - {*known[:kept]})

    def start(self, reply: Reply) -> None:
        """The reply has come."""
        self.end()
        self.reply = reply
        self.replies = [*self.replies, reply.id]
        if self._unwanted:
            self.stop_reply()
        self._started.set()

    def refuse(self) -> None:
        """Tells those who wait for the next reply that there is none."""
        self._started.set()

    def stop_reply(self) -> bool:
        """Stops its reply, or the one that somebody waits for; whether there is one to stop."""
        if self.reply is None or not self.running:
            self._unwanted = self._awaited > 0
            return False
        self.reply.stop()
        return True

    async def next_reply(self, after: Reply | None) -> Reply | None:
        """The reply that comes after that one; where it is refused, or none comes soon, what there
        is."""
        if self.reply is None or self.reply is after:
            self._started.clear()
            self._awaited += 1
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._started.wait(), 10)
            finally:
                self._awaited -= 1
                self._unwanted = self._unwanted and self._awaited > 0
        return self.reply

    async def next_end(self, after: Reply | None) -> None:
        """Waits for the end of its reply, where that comes after that one, and of all that take its
        place meanwhile."""
        reply = after if self.running else await self.next_reply(after)
        while reply:
            await reply.ended.wait()
            if self.reply is reply:
                break
            reply = await self.next_reply(reply)

    def watch(self, page: str = "") -> asyncio.Event:
        """Ends the page's watch before. The event is set when another watch of the page begins."""
        self.unwatch(page)
        self._watches[page] = asyncio.Event()
        return self._watches[page]

    def unwatch(self, page: str) -> None:
        """Ends the page's watch."""
        if watch := self._watches.pop(page, None):
            watch.set()

    def read(self) -> asyncio.Event:
        """Set when another event of the page shows the same answer, because the question was sent
        again."""
        self._reading.set()
        self._reading = asyncio.Event()
        return self._reading

    def undo(self, turn: int) -> None:
        """Takes back the page's turn of that number and all that came after it."""
        self.reset(self.until(turn))

    def messages(self) -> list[Shown]:
        """All that is kept, and nothing that is missing."""
        return [*self.before, *self.answer()]

    @property
    def spoken(self) -> Conversation:
        """The words of people and Claude, without thoughts and notes."""
        return tuple(conversation(self.messages()))

    def shown(self) -> list[Shown]:
        """The messages, for a page that from now on shows these and no others."""
        self.missing = []
        return self.messages()

    def answer(self) -> list[Shown]:
        """The messages of its reply so far."""
        if self.reply is None:
            return []
        transcript = Transcript(self.reply, begun=self.begun)
        transcript.add(self.reply.log)
        return transcript.messages()

    def end(self) -> None:
        """Stops its reply, if it has one that runs."""
        if self.reply and self.running:
            self.reply.stop()

    @property
    def running(self) -> bool:
        return self.reply is not None and self.reply.ending is None

    @property
    def unfinished(self) -> bool:
        """Whether the rest of the answer could be asked for."""
        if self.reply is None or not (self.begun or self.reply.text):
            return False
        ending = self.reply.ending
        return isinstance(ending, Failed) or (
            isinstance(ending, Done) and ending.reason not in FINISHED
        )

    async def frames(self, pace: Pace, *, after: int = 0) -> AsyncGenerator[list[Shown]]:
        """The tab's reply as messages, a frame at a time to its end; the first shows more than
        `after` events."""
        if self.reply is None:
            return
        transcript = Transcript(self.reply, begun=self.begun)
        transcript.add(self.reply.log[:after])
        async with aclosing(
            paced(self.reply, pace, messages=len(self.before), after=after)
        ) as frames:
            async for events in frames:
                transcript.add(events)
                if frame := transcript.messages(waiting=not events):
                    yield frame


def _as_typed(message: str, replaced: Sequence[Shown]) -> str:
    """The message as it was typed: where it is asked again, the page gives it back without its
    indentation."""
    before = text_of(replaced[0]) if replaced else message
    return (
        before if len(before) <= MAX_INDENTED and inspect.cleandoc(before) == message else message
    )


def _digest(message: str) -> str:
    return hashlib.blake2b(message.strip().encode(errors="replace"), digest_size=16).hexdigest()
