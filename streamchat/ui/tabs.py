"""Keeps the messages of each browser tab, so that the tab finds them again."""

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from streamchat.chat import Chat
from streamchat.errors import TooLong, UnknownReply
from streamchat.options import Choice
from streamchat.store import Store, naming
from streamchat.ui.states import card_of, first_question, first_words, state_of, tab_of
from streamchat.ui.tab import Tab
from streamchat.ui.titles import late
from streamchat.ui.transcript import Shown, size_of
from streamchat.visitors import Shelf

# of one tab's messages; no model takes as much
MAX_BYTES = 8_000_000
# bytes of a tab without messages
ROW = 1_000
# in memory, of one visitor
VISITOR_BYTES = 64_000_000
# in memory, besides those whose replies run; others come back from the store
MAX_TABS = 1_000
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Tabs:
    """Tabs by their secret id, in memory and in the store. A tab belongs to the visitor who used it
    last."""

    def __init__(
        self,
        chat: Chat,
        store: Store,
        *,
        max_bytes: int = MAX_BYTES,
        max_tabs: int = MAX_TABS,
        visitor_bytes: int = VISITOR_BYTES,
    ) -> None:
        self._chat = chat
        self._store = store
        self._max_bytes = max_bytes
        self._tabs: Shelf[str, Tab] = Shelf(
            most=max_tabs, share=visitor_bytes, held=lambda tab: tab.running
        )
        # the ids of those for which a title is on its way
        self.naming: set[str] = set()
        self._looking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def reader(self, name: str) -> str:
        """The hash of a reader; empty for one without a name, whose conversations are not saved."""
        return self._store.reader(name) if name else ""

    async def get(self, tab_id: str, visitor: str | None = None, reader: str = "") -> Tab:
        """The tab with that id, or a new one. Without an id, or with the id of a deleted
        conversation (its root is in the store) or of another reader's, the new tab is not kept."""
        tab = await self._found(tab_id, visitor)
        if tab is None:
            if not is_id(tab_id) or await self._store.root(tab_id):
                return Tab(kept=False)
            tab = Tab(reader=reader)
            self._tabs.put(tab_id, tab, visitor, ROW)
        return tab if tab.reader in ("", reader) else Tab(kept=False)

    async def find(self, tab_id: str, reader: str, visitor: str | None = None) -> Tab | None:
        """The saved conversation with that id, if it is the reader's."""
        tab = await self._found(tab_id, visitor)
        return tab if tab and reader and tab.reader == reader and tab.before else None

    def is_running(self, tab_id: str) -> bool:
        tab = self._tabs.peek(tab_id)
        return tab is not None and tab.running

    async def may_be_named(self, tab_id: str, tab: Tab) -> bool:
        """Whether it is kept, and its reader has neither named nor deleted it."""
        work = partial(naming.is_unnamed, reader=tab.reader, id_=tab_id)
        await self._store.flush()
        return tab.kept and bool(await self._store.run(work))

    async def name(self, tab_id: str, reader: str, question: str, title: str) -> None:
        """Gives the title to the conversation as it is now, if it still begins with the question,
        and its reader has neither named nor deleted it."""
        tab = self._tabs.peek(tab_id)
        if tab and first_question(tab.messages()) == question:
            # so that what is saved from now on has it
            tab.title = title
        elif tab:
            tab.titles = late(tab.titles, question, title)
        before = first_words(question)
        work = partial(naming.entitle, reader=reader, id_=tab_id, before=before, title=title)
        await self._store.flush()
        await self._store.run(work)

    def drop(self, tab_id: str) -> None:
        """Stops the tab's reply and forgets the tab; the store keeps its row."""
        if tab := self._tabs.pop(tab_id):
            tab.end()
            tab.kept = False

    async def claim(
        self,
        tab_id: str,
        page: str,
        visitor: str | None = None,
        *,
        duplicate: bool = False,
        reader: str = "",
    ) -> str:
        """The id under which a page continues the tab with that id. All pages of a `reader` share a
        saved conversation and its id. Without a reader the id is new: two pages that come with one
        id continue independently, and a `duplicate` of a tab that another page shows cannot end
        that page's reply. Questions that the `page` asked before it claimed its tab belong to that
        tab."""
        claimed = secrets.token_urlsafe(24)
        asked, found = self._tabs.get(page), await self._found(tab_id, visitor)
        if asked and asked.reader == reader and page != tab_id:
            self._tabs.pop(page)
            self.save(claimed, asked, visitor)
        elif found and (found.messages() or found.received) and found.reader in ("", reader):
            return self._shared(tab_id, found, visitor, duplicate=duplicate, reader=reader)
        else:
            # in memory, so that the new id is not looked for in the store
            self._tabs.put(claimed, Tab(reader=reader), visitor, ROW)
        return claimed

    def _shared(
        self, tab_id: str, found: Tab, visitor: str | None, *, duplicate: bool, reader: str
    ) -> str:
        """The id under which a found tab is shown: its own for its reader, otherwise that of a
        copy."""
        if not reader:
            claimed = secrets.token_urlsafe(24)
            self._copy(claimed, found, visitor, duplicate=duplicate)
            return claimed
        if not found.reader:
            # a release without saved conversations has kept it, or a browser without cookies
            found.reader = reader
            self.save(tab_id, found, visitor)
        found.restored = True
        return tab_id

    def checked_size(self, messages: Sequence[Shown]) -> int:
        """The size of the messages to keep, in bytes. Raises `TooLong` for too many."""
        if (needed := size_of(messages)) > self._max_bytes:
            raise TooLong
        return needed

    def save(
        self,
        tab_id: str,
        tab: Tab,
        visitor: str | None = None,
        *,
        size: int | None = None,
        at: float | None = None,
    ) -> None:
        """Keeps the tab for the visitor; `size` is that of its messages, if it is known, and `at`
        the time of its last word, if that is not now."""
        if not (is_id(tab_id) and tab.kept):
            return
        tab.root, tab.size = tab_id, size_of(tab.before) if size is None else size
        self._tabs.put(tab_id, tab, visitor, ROW + tab.weight)
        card = card_of(tab, at) if tab.reader else None
        self._store.put_tab(tab_id, state_of(tab), visitor, size=tab.weight, card=card)

    def _copy(self, claimed: str, found: Tab, visitor: str | None, *, duplicate: bool) -> None:
        """Makes a copy of the tab; in the store it refers to the original until it changes."""
        tab = replace(found, missing=[], restored=True)
        if duplicate and tab.reply and tab.running:
            tab.reply = self._chat.repeat(tab.reply, visitor)
        self._tabs.put(claimed, tab, visitor, ROW + tab.weight)
        if tab.root:
            self._store.put_copy(claimed, tab.root, visitor)

    async def _found(self, tab_id: str, visitor: str | None) -> Tab | None:
        """The tab from memory or from the store, which concurrent callers load once."""
        if not is_id(tab_id) or (tab := self._tabs.get(tab_id)):
            return tab if is_id(tab_id) else None
        async with self._looking.setdefault(tab_id, asyncio.Lock()):
            if not (tab := self._tabs.get(tab_id)) and (
                tab := await self._restored(tab_id, visitor)
            ):
                self._tabs.put(tab_id, tab, visitor, ROW + tab.weight)
            return tab

    async def _restored(self, tab_id: str, visitor: str | None) -> Tab | None:
        root = await self._store.root(tab_id)
        if root and root != tab_id:
            original = await self._found(root, visitor)
            return replace(original, missing=[], restored=False) if original else None
        state = await self._store.tab(tab_id) if root else None
        if state is None:
            return None
        reply = None
        with suppress(UnknownReply):
            reply = await self._chat.resume(state.get("reply") or "", however_old=True)
        tab = tab_of(state, reply, tab_id)
        tab.choice = self.recall(state.get("options", {}))
        return tab

    def recall(self, options: Mapping[str, Any]) -> Choice | None:
        """As `Menu.recall`."""
        return self._chat.menu.recall(options)


def is_id(text: str) -> bool:
    """Whether the text can be the id of a tab or a page."""
    return ID.fullmatch(text) is not None
