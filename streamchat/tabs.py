"""What each browser tab shows, so that the same tab finds it again."""

import asyncio
import inspect
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from streamchat.chat import Chat
from streamchat.errors import UnknownReply
from streamchat.events import Done, Failed, Message
from streamchat.frames import paced
from streamchat.reply import Reply
from streamchat.store import Store
from streamchat.transcript import Shown, Transcript, conversation, is_aside, is_note

MAX_TABS = 1_000  # in memory, besides those whose replies run; others come back from the store
UNFINISHED = {"stopped", "abandoned", "shutdown", "max_tokens"}


@dataclass
class Tab:
    """The messages `before` its reply, and the reply; `begun` is what an earlier reply said of the same answer, and
    `sent` the last messages that arrived.

    To `Chat` the tab is one `person`, also after a reload and in its duplicates.
    """

    before: list[Shown] = field(default_factory=list)
    begun: str = ""
    reply: Reply | None = None
    indented: dict[str, str] = field(default_factory=dict)
    person: str = field(default_factory=partial(secrets.token_urlsafe, 16))
    sent: list[str] = field(default_factory=list)
    restored: bool = False
    _started: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)
    _awaited: int = field(default=0, init=False, repr=False)
    _unwanted: bool = field(default=False, init=False, repr=False)

    def asked(self, before: list[Shown]) -> None:
        """From now on the tab shows these messages, and a reply that is yet to come. One that runs ends."""
        self._end()
        self.before, self.begun, self.reply, self.restored = before, "", None, False

    def arrived(self, message: str) -> bool:
        """Whether it is one of the last messages that arrived, whatever has become of it."""
        return message.strip() in map(str.strip, self.sent)

    def start(self, reply: Reply | None) -> None:
        """The reply has come, or was refused."""
        self._end()
        self.reply = reply
        if self._unwanted:
            self.stop()
        self._started.set()

    def stop(self) -> bool:
        """Stops its reply, or the one that somebody waits for; whether there is one to stop."""
        if self.reply is None or not self.running:
            self._unwanted = self._awaited > 0
            return False
        self.reply.stop()
        return True

    async def next_reply(self, after: Reply | None) -> Reply | None:
        """The reply that comes after that one, or None if it is refused; where none comes soon, what there is."""
        if self.reply is None or self.reply is after:
            self._started.clear()
            self._awaited += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._started.wait(), 10)
            self._awaited -= 1
            self._unwanted = self._unwanted and self._awaited > 0
        return self.reply

    def undo(self) -> None:
        """Takes back the last question and all that came after it."""
        last = max((n for n, message in enumerate(self.before) if message["role"] == "user"), default=0)
        self.asked(self.before[:last])

    def typed(self, message: str) -> str:
        """Remembers how the message was typed: Gradio takes the indentation off what it shows, and gives that back."""
        shown = inspect.cleandoc(message)
        self.indented.pop(shown, None)
        if shown != message:
            self.indented[shown] = message
        return message

    def said(self, messages: Sequence[Shown]) -> list[Message]:
        """What was said in them, as it was typed."""
        return [
            Message(it.role, self.indented.get(it.text, it.text) if it.role == "user" else it.text)
            for it in conversation(messages)
        ]

    def messages(self) -> list[Shown]:
        """All that the tab shows now."""
        return [*self.before, *self.answer()]

    def answer(self) -> list[Shown]:
        """What it shows of its reply now."""
        if self.reply is None:
            return []
        transcript = Transcript(self.reply, begun=self.begun)
        transcript.add(self.reply.log)
        return transcript.messages()

    def _end(self) -> None:
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
        return isinstance(ending, Failed) or (isinstance(ending, Done) and ending.reason in UNFINISHED)

    async def frames(self) -> AsyncGenerator[list[Shown]]:
        """The tab's reply as messages, a frame at a time, from its beginning to its end."""
        if self.reply is None:
            return
        transcript = Transcript(self.reply, begun=self.begun)
        async with aclosing(paced(self.reply, messages=len(self.before))) as frames:
            async for events in frames:
                transcript.add(events)
                if frame := transcript.messages(waiting=not events):
                    yield frame


class Tabs:
    """Tabs by their secret id, in memory and in the store."""

    def __init__(self, chat: Chat, store: Store) -> None:
        self._chat = chat
        self._store = store
        self._tabs: OrderedDict[str, Tab] = OrderedDict()

    async def get(self, tab_id: str) -> Tab:
        """The tab of that id, new if there is none; one without an id is nobody's, and not kept."""
        if not tab_id:
            return Tab()
        found = self._tabs.get(tab_id) or await self._restored(tab_id) or Tab()
        tab = self._tabs.setdefault(tab_id, found)
        self._tabs.move_to_end(tab_id)
        if len(self._tabs) > MAX_TABS:
            idle = [name for name, other in self._tabs.items() if not other.running and other is not tab]
            for name in idle[: len(self._tabs) - MAX_TABS]:
                del self._tabs[name]
        return tab

    async def claim(self, tab_id: str, page: str) -> str:
        """A new id for what the tab of that id shows: two pages that come with one id go on without each other.

        What the `page` asked before it claimed its tab is not forgotten for it.
        """
        claimed = secrets.token_urlsafe(24)
        tab = self._tabs.pop(page, None)
        if not tab and (found := self._tabs.get(tab_id) or await self._restored(tab_id)):
            tab = replace(found, indented=dict(found.indented), restored=True)
        if tab:
            self.save(claimed, tab)
        else:
            self._tabs[claimed] = Tab()  # which nobody need look for in the store
        return claimed

    def save(self, tab_id: str, tab: Tab) -> None:
        if not tab_id:
            return
        self._tabs[tab_id] = tab
        reply = tab.reply.id if tab.reply else None
        said = {"before": tab.before, "begun": tab.begun, "indented": tab.indented, "sent": tab.sent}
        self._store.put_tab(tab_id, {**said, "reply": reply, "person": tab.person})

    async def _restored(self, tab_id: str) -> Tab | None:
        state: dict[str, Any] | None = await self._store.tab(tab_id) if tab_id else None
        if state is None:
            return None
        reply = None
        with suppress(UnknownReply):
            reply = await self._chat.resume(state["reply"] or "", however_old=True)
        return Tab(
            state["before"], state["begun"], reply, state["indented"], state.get("person", ""), state.get("sent", [])
        )


def continued(messages: Sequence[Shown]) -> tuple[list[Shown], str]:
    """A conversation without the text and the notes of its last answer, and that text."""
    *before, last = [message for message in messages if not is_note(message)]
    if last["role"] != "assistant" or is_aside(last):
        return [*before, last], ""
    return before, conversation([last])[0].text
