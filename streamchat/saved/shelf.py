"""The saved conversations of each reader, in the store and in running tabs."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from streamchat.attachments import Attachment
from streamchat.chat import Links, restored
from streamchat.errors import InternalError, UnknownConversation
from streamchat.events import Conversation
from streamchat.options import Choice
from streamchat.saved import snapshot
from streamchat.saved.file import Fields, SavedConversation, fields, resolved, shown_of
from streamchat.saved.page import content
from streamchat.saved.rendering import Rendering
from streamchat.saved.snapshot import Snapshot
from streamchat.store import Store, Transaction, conversations, shares
from streamchat.ui import Tab, Tabs, as_kept
from streamchat.web.paths import SHARED

MOST = 100
T = TypeVar("T")
Files = Mapping[str, Attachment]
NO_FILES: Files = {}
# as JSON
Item = dict[str, Any]


class Saved:
    """Finds each reader's conversations. Another reader's are as unknown as ones that do not
    exist."""

    def __init__(self, tabs: Tabs, store: Store, *, shares: bool = True) -> None:
        self._tabs = tabs
        self._store = store
        self._shares = shares
        self._rendering = Rendering()
        self.links = Links(store)

    async def items(self, reader: str, *, most: int, **wanted: Any) -> Item:
        """A list of the newest conversations that are `wanted`, and whether there are more."""
        work = partial(conversations.items, reader=reader, most=most + 1, **wanted)
        naming = frozenset(self._tabs.naming)
        found = await self._run(work)
        shown = [self._item(each, naming) for each in (found or [])[:most]]
        return {"conversations": shown, "more": len(found or []) > most}

    async def item(self, reader: str, id_: str) -> Item:
        naming = frozenset(self._tabs.naming)
        work = partial(conversations.item, reader=reader, id_=id_)
        return self._known(await self._run(work), naming)

    async def options(self, reader: str, id_: str) -> Item:
        """The options of its last question; empty if they are unknown."""
        if not (tab := await self._tabs.find(id_, reader)):
            raise UnknownConversation
        return tab.choice.fields if tab.choice else {}

    async def conversation(self, reader: str, id_: str) -> tuple[Conversation, Choice | None]:
        """The conversation so far, and the options of its last question or None."""
        if not (tab := await self._tabs.find(id_, reader)):
            raise UnknownConversation
        return tab.spoken, tab.choice

    async def rename(self, reader: str, id_: str, title: str) -> Item:
        work = partial(conversations.rename, reader=reader, id_=id_, title=title)
        return self._known(await self._run(work))

    async def delete(self, reader: str, id_: str) -> None:
        """Deletes the conversation and stops its running reply. It can be restored for a while."""
        work = partial(conversations.delete, reader=reader, id_=id_, now=self._store.now())
        if not await self._run(work):
            raise UnknownConversation
        self._forget([id_])

    async def delete_all(self, reader: str) -> int:
        work = partial(conversations.delete_all, reader=reader, now=self._store.now())
        gone = await self._run(work) or []
        self._forget(gone)
        return len(gone)

    async def restore(self, reader: str, id_: str) -> Item:
        now, most = self._store.now(), self._store.max_conversations
        work = partial(conversations.restore, reader=reader, id_=id_, now=now, most=most)
        return self._known(await self._run(work))

    async def restore_last(self, reader: str) -> int:
        """Restores everything that was deleted in the last deletion."""
        now, most = self._store.now(), self._store.max_conversations
        work = partial(conversations.restore_last, reader=reader, now=now, most=most)
        return await self._run(work) or 0

    async def content(self, reader: str, id_: str) -> tuple[SavedConversation, float]:
        """The title and messages without thoughts and notes, and the time of the last word."""
        found = await self.item(reader, id_)
        tab = await self._tabs.find(id_, reader)
        if tab is None:
            raise UnknownConversation
        messages = tab.messages()
        options = tab.choice.fields if tab.choice else {}
        versions = tab.versions.along(messages)
        return SavedConversation(found["title"], as_kept(messages), versions, options), found["at"]

    async def ids(self, reader: str) -> list[str]:
        """The ids of all conversations, the newest first. Raises `InternalError` if the disk
        fails."""
        found = await self._run(partial(conversations.ids, reader=reader))
        if found is None and self._store.is_kept:
            raise InternalError
        return found or []

    async def export(self, reader: str, ids: list[str]) -> AsyncGenerator[Fields]:
        """These conversations one at a time, without those that are deleted meanwhile."""
        for id_ in ids:
            if found := await self._exported(reader, id_):
                yield found

    async def _exported(self, reader: str, id_: str) -> Fields | None:
        try:
            return fields(*await self.content(reader, id_))
        except UnknownConversation:
            if id_ in await self.ids(reader):
                raise
            return None

    async def add(
        self, reader: str, visitor: str, found: list[SavedConversation], files: Files = NO_FILES
    ) -> int:
        """Saves these as new conversations, each at its time, with those of their files that are
        among `files`; of those without a time, the first becomes the newest. Raises `TooLong`."""
        tabs = []
        for saved in reversed(found):
            tab = self._tab_of(saved, reader, files)
            tabs.append((saved.title, saved.at, tab, self._tabs.checked_size(tab.before)))
            await asyncio.sleep(0)
        titles, now = {}, self._store.now()
        for title, at, tab, size in tabs:
            id_ = secrets.token_urlsafe(24)
            was = at if at is not None and at <= now else now
            self._tabs.save(id_, tab, visitor, size=size, at=was)
            if title:
                titles[id_] = title
            await asyncio.sleep(0)
        await self._run(partial(conversations.rename_all, reader=reader, titles=titles))
        return len(tabs)

    def _tab_of(self, saved: SavedConversation, reader: str, files: Files) -> Tab:
        messages = [resolved(shown_of(message), files) for message in saved.messages]
        versions = saved.versions.changed(partial(resolved, files=files))
        choice = self._tabs.recall(saved.options)
        return Tab(messages, reader=reader, versions=versions, choice=choice)

    async def share(self, reader: str, id_: str, visitor: str = "") -> Item:
        """Shares the conversation as it is now, drawn in the visitor's turn; its link stays the
        same. Raises `Unfit` for one that is too long."""
        found, _ = await self.content(reader, id_)
        taken = await asyncio.to_thread(snapshot.taken, found, int(self._store.now()))
        drawn = await self._drawn(taken, visitor)
        share = shares.Share(reader, id_, secrets.token_urlsafe(24), drawn.text)
        if not (token := await self._run(partial(self._store.share, share=share))):
            raise UnknownConversation
        return {"url": address(token)}

    async def unshare(self, reader: str, id_: str) -> None:
        """Withdraws the link for good. Idempotent."""
        if not await self._run(partial(shares.drop, reader=reader, id_=id_)):
            raise UnknownConversation

    async def shared(self, token: str, visitor: str = "") -> Snapshot | None:
        """The snapshot behind the link with this token. One that another release has drawn is drawn
        anew, once."""
        if (text := await self._store.run(partial(shares.read, token=token))) is None:
            return None
        if (found := snapshot.read(text)).html is None:
            found = await self._drawn(found, visitor)
            work = partial(shares.redraw, token=token, before=text, now=found.text)
            await self._store.run(work)
        return found

    async def _drawn(self, found: Snapshot, visitor: str) -> Snapshot:
        html = await self._rendering.whole(content(found.messages), visitor)
        return replace(found, html=html)

    async def shared_picture(self, token: str, digest: str) -> Attachment | None:
        """A picture that the link with this token shows."""
        found = await self._store.run(partial(shares.picture, token=token, digest=digest))
        return restored(*found) if found else None

    async def _run(self, work: Callable[[Transaction], T]) -> T | None:
        """Runs the work after everything said so far has been written."""
        await self._store.flush()
        return await self._store.run(work)

    def _known(
        self, found: conversations.Item | None, naming: frozenset[str] = frozenset()
    ) -> Item:
        if found is None:
            raise UnknownConversation
        return self._item(found, naming)

    def _item(self, found: conversations.Item, naming: frozenset[str]) -> Item:
        """As JSON; a title is on its way for those that were in `naming` before it was read."""
        return {
            "id": found.id,
            "title": found.title,
            "at": found.at,
            "running": self._tabs.is_running(found.id),
            "naming": found.id in naming,
            "shared": address(found.token) if found.token and self._shares else None,
            "snippet": found.snippet,
        }

    def _forget(self, ids: list[str]) -> None:
        for id_ in ids:
            self._tabs.drop(id_)


def address(token: str) -> str:
    """The link's address, relative to the page's."""
    return f"{SHARED[1:]}{token}"
