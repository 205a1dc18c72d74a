"""The state of one browser tab: the turns so far, and the reply that is being written."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from streamchat.events import Conversation, Ending
from streamchat.options import Choice
from streamchat.replies import Reply
from streamchat.store import KEPT_LOGS
from streamchat.ui import titles
from streamchat.ui.attached import Fields, question, said, without_rejected
from streamchat.ui.continuing import is_unfinished
from streamchat.ui.missing import kept_before
from streamchat.ui.titles import Titles
from streamchat.ui.transcript import Shown, Transcript, ended, text_of, turns
from streamchat.ui.typed import digest
from streamchat.ui.versions import USUAL, Bounds, Path, Versions
from streamchat.ui.watches import Watches

# messages that are recognised when they come again
RECENT = 20
# the store deletes the logs of the oldest ones
MAX_REPLIES = KEPT_LOGS + 100


@dataclass
class Tab(Watches):
    """The messages `before` its reply, and the reply. Of earlier replies to its answer, `begun` is
    the text and `earlier` the cost. `received` has digests that recognise the last messages that
    were asked: of the keys that they were sent with, or else of the messages.

    A page shows turns that the tab does not keep, as those that were refused: `missing` has their
    numbers, ascending. To `Chat` the tab is one `person`, also after a reload and in its
    duplicates. When it was saved, its messages took `size` bytes; in the store its state is that of
    the tab `root`. Its last reply was asked for with the `choice`.

    With a `reader`, who alone may open it, it is a saved conversation, which several pages may show
    at once; `replies` are the ids of its replies. One that is not `kept` is nobody's, whatever id a
    page has. The model's `title` is None until asked for, and `titles` has those of other first
    questions; `taken_back` counts undos.
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
    title: str | None = None
    titles: Titles = field(default_factory=dict)
    earlier: Ending | None = None
    versions: Versions = field(default_factory=Versions)
    taken_back: int = field(default=0, init=False, repr=False)
    _started: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)
    _awaited: int = field(default=0, init=False, repr=False)
    _unwanted: bool = field(default=False, init=False, repr=False)

    def reset(self, before: list[Shown]) -> None:
        """Shows these messages, without a reply, and stops a running one."""
        self.end()
        self.title, self.titles = titles.along(self.title, self.titles, self.before, before)
        self.before, self.begun, self.earlier, self.reply = before, "", None, None
        self.restored = False

    def until(self, turn: int, messages: list[Shown] | None = None) -> list[Shown]:
        """The messages before the page's turn with that number; all of them if the page shows more
        turns than are kept."""
        messages = self.messages() if messages is None else messages
        kept = [number for number, message in enumerate(messages) if message["role"] == "user"]
        known, self.missing = kept_before(turn, len(kept), self.missing)
        return messages[: kept[known]] if known < len(kept) else messages

    def asking(
        self, turn: int, message: str, path: Path | None = None, files: Sequence[Fields] = ()
    ) -> list[Shown]:
        """The messages to ask with this one as the page's turn with that number, on the path that
        the page shows, with these files. The turn counts as missing until `begin`."""
        shown, now = self._now()
        path = now.path if path is None else path
        messages = now.messages(without_rejected(ended(shown), self.reply), path)
        kept, self.restored = self.until(turn, messages), False
        self.missing = [*self.missing, turn]
        return [*kept, question(message, messages[len(kept) :], files)]

    def begin(
        self, asked: list[Shown], reply: Reply, once: str = "", path: Path | None = None
    ) -> None:
        """Keeps the messages from `asking` and the reply; `once` is the key they were sent with."""
        self.missing = self.missing[:-1]
        self.received = [*self.received, digest(once or text_of(asked[-1]))][-RECENT:]
        self.branch(asked, path)
        self.start(reply)

    def _now(self) -> tuple[list[Shown], Versions]:
        shown = self.messages()
        return shown, self.versions.along(shown)

    def path(self, number: int | None = None) -> Path:
        """The numbers of the turns that it shows, or of those on the way to that one."""
        now = self._now()[1]
        return (None if number is None else now.path_to(number)) or now.path

    def branch(
        self, messages: list[Shown], path: Path | None = None, bounds: Bounds = USUAL
    ) -> None:
        """Shows messages whose last turn is new, and whose other turns are the first of a path.
        Turns that are no longer shown become versions, if their reader can find them again."""
        shown, now = self._now()
        if self.reader:
            start = now.path if path is None else path
            self.versions = now.branch(
                shown, start, messages, unfinished=self.unfinished, bounds=bounds
            )
        self.reset(messages)

    def show(self, number: int) -> bool:
        """Shows the path on which that turn was shown last. Returns whether there is one."""
        shown, now = self._now()
        if (path := now.path_to(number)) and path != now.path:
            self.versions = now.switched(shown, path, unfinished=self.unfinished)
            self.reset(now.messages(shown, path))
        return path is not None

    def has_received(self, sign: str) -> bool:
        """Whether it is the key of a recent question, or the text of one without a key."""
        return digest(sign) in self.received

    def answers(self, once: str) -> bool:
        """Whether the reply answers the message that was sent with this key."""
        is_last = bool(once) and self.received[-1:] == [digest(once)]
        return is_last and self.reply is not None and not self.reply.came_to_nothing

    def repeat(self, turn: int) -> None:
        """Notes that the page sent the last question again, as its turn with that number."""
        _, self.missing = kept_before(turn, turns(self.before) - 1, self.missing)

    def start(self, reply: Reply) -> None:
        """Shows this reply in place of the one before, which it stops."""
        self.end()
        self.reply = reply
        self.replies = [*self.replies, reply.id][-MAX_REPLIES:]
        if self._unwanted:
            self.stop_reply()
        self._started.set()

    def refuse(self) -> None:
        """Tells those who wait for the next reply that there is none."""
        self._started.set()

    def stop_reply(self) -> bool:
        """Stops the running reply or the awaited one. Returns whether a running one was stopped."""
        if self.reply is None or not self.running:
            self._unwanted = self._awaited > 0
            return False
        self.reply.stop()
        return True

    async def next_reply(self, after: Reply | None) -> Reply | None:
        """The reply after that one; the present one if the next is refused, or does not come
        soon."""
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
        """Waits for the end of the reply after that one, and of all replies that replace it
        meanwhile."""
        reply = after if self.running else await self.next_reply(after)
        while reply:
            await reply.ended.wait()
            if self.reply is reply:
                break
            reply = await self.next_reply(reply)

    def undo(self, turn: int) -> None:
        """Removes the page's turn with that number and everything after it, in all versions."""
        (_, now), kept = self._now(), self.until(turn)
        self.versions = now.without(turns(kept))
        self.taken_back += 1
        self.reset(kept)

    def messages(self) -> list[Shown]:
        """All messages that are kept."""
        return [*self.before, *self.answer()]

    @property
    def spoken(self) -> Conversation:
        """The conversation as Claude gets it, with files whose data is not loaded."""
        return tuple(said(self.messages()))

    @property
    def weight(self) -> int:
        """The bytes of its messages when it was saved, with those of their versions."""
        return self.size + self.versions.size

    def shown(self) -> list[Shown]:
        """The messages, for a page that shows exactly these from now on."""
        self.missing = []
        return self.messages()

    def answer(self) -> list[Shown]:
        """The messages of its reply so far."""
        return self.transcript(self.reply).messages() if self.reply else []

    def transcript(self, reply: Reply, events: int | None = None) -> Transcript:
        """The first events of its reply, or all so far."""
        transcript = Transcript(reply, begun=self.begun, earlier=self.earlier)
        transcript.add(reply.log[:events])
        return transcript

    def end(self) -> None:
        """Stops the reply if it is running."""
        if self.reply and self.running:
            self.reply.stop()

    async def ended(self) -> None:
        """Stops its reply, and waits a moment for its last word."""
        self.end()
        if self.reply:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.reply.ended.wait(), 1)

    @property
    def running(self) -> bool:
        return self.reply is not None and self.reply.ending is None

    @property
    def unfinished(self) -> bool:
        """Whether the answer can be continued."""
        if self.reply is None:
            return not set(self.versions.cut).isdisjoint(self.path()[-1:])
        return is_unfinished(self.reply, self.begun)
