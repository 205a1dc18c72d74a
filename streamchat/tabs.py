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

MAX_TABS = 1_000  # in memory; others come back from the store
UNFINISHED = {"stopped", "abandoned", "shutdown", "max_tokens"}


@dataclass
class Tab:
    """The messages `before` its reply, and the reply; `begun` is what an earlier reply said of the same answer.

    To `Chat` the tab is one `person`, also after a reload and in its duplicates.
    """

    before: list[Shown] = field(default_factory=list)
    begun: str = ""
    reply: Reply | None = None
    indented: dict[str, str] = field(default_factory=dict)
    person: str = field(default_factory=partial(secrets.token_urlsafe, 16))
    restored: bool = False
    _started: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def asked(self, before: list[Shown]) -> None:
        """From now on the tab shows these messages, and a reply that is yet to come."""
        self.before, self.begun, self.reply, self.restored = before, "", None, False

    def start(self, reply: Reply | None) -> None:
        """The reply has come, or was refused."""
        self.reply = reply
        self._started.set()

    async def next_reply(self, after: Reply | None) -> Reply | None:
        """The reply that comes after that one, or None if it is refused; where none comes soon, what there is."""
        if self.reply is None or self.reply is after:
            self._started.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._started.wait(), 10)
        return self.reply

    def undo(self) -> None:
        """Takes back the last question and all that came after it."""
        last = max((n for n, message in enumerate(self.before) if message["role"] == "user"), default=0)
        self.asked(self.before[:last])

    def typed(self, message: str) -> str:
        """The message as it was typed: Gradio takes the indentation off what it shows, and gives that back."""
        shown = inspect.cleandoc(message)
        if shown != message:
            self.indented[shown] = message
        return self.indented.get(message, message)

    def said(self, messages: Sequence[Shown]) -> list[Message]:
        return [Message(message.role, self.typed(message.text)) for message in conversation(messages)]

    def questions(self) -> list[Message]:
        return [message for message in self.said(self.before) if message.role == "user"]

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

    def get(self, tab_id: str) -> Tab:
        """The tab of that id, new if there is none."""
        tab = self._tabs.setdefault(tab_id, Tab())
        self._tabs.move_to_end(tab_id)
        while len(self._tabs) > MAX_TABS:
            self._tabs.popitem(last=False)
        return tab

    async def claim(self, tab_id: str, page: str) -> str:
        """A new id for what the tab of that id shows: two pages that come with one id go on without each other.

        What the `page` asked before it claimed its tab is not forgotten for it.
        """
        claimed = secrets.token_urlsafe(24)
        if tab := self._tabs.pop(page, None):
            self._tabs[claimed] = tab
        elif tab := self._tabs.get(tab_id) or await self._restored(tab_id):
            self._tabs[claimed] = replace(tab, indented=dict(tab.indented), restored=True)
        if tab:
            self.save(claimed)
        return claimed

    def save(self, tab_id: str) -> None:
        tab = self.get(tab_id)
        reply = tab.reply.id if tab.reply else None
        said = {"before": tab.before, "begun": tab.begun, "indented": tab.indented}
        self._store.put_tab(tab_id, {**said, "reply": reply, "person": tab.person})

    async def _restored(self, tab_id: str) -> Tab | None:
        state: dict[str, Any] | None = await self._store.tab(tab_id) if tab_id else None
        if state is None:
            return None
        reply = None
        with suppress(UnknownReply):
            reply = await self._chat.resume(state["reply"] or "", however_old=True)
        return Tab(state["before"], state["begun"], reply, state["indented"], state.get("person", ""))


def continued(messages: Sequence[Shown]) -> tuple[list[Shown], str]:
    """A conversation without the text and the notes of its last answer, and that text."""
    *before, last = [message for message in messages if not is_note(message)]
    if last["role"] != "assistant" or is_aside(last):
        return [*before, last], ""
    return before, conversation([last])[0].text
