"""Keeps replies and tabs over a restart. Writes a moment behind the replies, which never wait for
it."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from streamchat.events import Event
from streamchat.replies import Reply
from streamchat.store import conversations, files, holdings, logs, purging, schema, shares, tabs
from streamchat.store.conversations import Card
from streamchat.store.logs import Following, News
from streamchat.store.seams import Away, Database, Transaction, Work
from streamchat.store.sqlite import PATIENCE, SQLite
from streamchat.store.tabs import Put, State
from streamchat.visitors import Shelf

logger = logging.getLogger(__name__)

NAME = "streamchat.sqlite3"
# seconds that the database may lag behind the replies
WRITE_DELAY = 0.2
# seconds between attempts at a disk that fails
AGAIN = 5.0
MAX_AGE = 30 * 86_400.0  # seconds
# bytes kept for all visitors
MAX_BYTES = 256 * 1024**2
# bytes kept for one visitor; generous, because an office may share one address
VISITOR_BYTES = 64 * 1024**2
PRUNE_EVERY = 3_600.0  # seconds
# tabs, and ended replies, that wait for a disk that fails
MAX_WAITING = 1_000

T = TypeVar("T")


class Store:
    """Keeps replies and tabs in a folder. Without a folder, or with a failing disk, it keeps
    nothing; it warns once of the disk."""

    def __init__(  # noqa: PLR0913 (each bound is its own)
        self,
        folder: str,
        *,
        clock: Callable[[], float] = time.time,
        max_age: float = MAX_AGE,
        max_bytes: int = MAX_BYTES,
        visitor_bytes: int = VISITOR_BYTES,
        max_waiting: int = MAX_WAITING,
        patience: float = PATIENCE,
        max_conversations: int = conversations.MOST,
    ) -> None:
        self._max_age, self.max_conversations = max_age, max_conversations
        # the file's own, once it is open
        self._salt = secrets.token_bytes(32)
        # the most bytes that are kept for one visitor, and for all
        self.bounds = visitor_bytes, max_bytes
        self._folder = folder
        self._database: Database | None = None
        if folder:
            self._database = SQLite(Path(folder) / NAME, patience)
        self._clock = clock
        self._logs: Shelf[Reply, Following] = Shelf(
            most=max_waiting, held=lambda log: log.reply.ending is None
        )
        # not yet written
        self._tabs: Shelf[str, Put] = Shelf(most=max_waiting, share=visitor_bytes)
        self._news = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._prune_at = 0.0
        # bytes that were written since all were counted
        self._since_bound = 0
        self._warned = False

    @property
    def is_kept(self) -> bool:
        """Whether there is a folder to keep data in."""
        return self._database is not None

    async def open(self) -> None:
        """Opens the file. Raises `TooNew`, and leaves the file as it is, if a later release has
        written it."""
        if self._database:
            await self._database.open()
        self._salt = await self.run(schema.salt) or self._salt
        await self.run(self._prune)
        behind = self._write_behind(), purging.purge_behind(self.run, self._unrestorable)
        self._tasks = list(map(asyncio.create_task, behind))

    async def close(self) -> None:
        """Writes everything that is not written yet."""
        for task in self._tasks:
            task.cancel()
        await self.flush()
        if self._database:
            await self._database.close()

    async def run(self, work: Work[T]) -> T | None:
        """The result of work in one transaction, off the event loop. None without a database, or if
        the disk fails."""
        if not self._database:
            return None
        try:
            return await self._database.run(work)
        except Away as error:
            if not self._warned:
                logger.warning(
                    "Conversations will not survive a restart: %s (%s)", error, self._folder
                )
                self._warned = True
            return None

    def follow(self, reply: Reply, visitor: str | None = None) -> None:
        """Writes the reply's log to the file from now on, for the visitor."""
        if self._database:
            self._logs.put(reply, Following(reply, visitor), visitor)
            self._news.set()

    def put_tab(
        self,
        tab: str,
        state: State,
        visitor: str | None = None,
        *,
        size: int = 0,
        card: Card | None = None,
    ) -> None:
        """Keeps the tab's state, of about `size` bytes, for the visitor; with a card as a saved
        conversation. The state must not be changed afterwards."""
        self._put(tab, Put(visitor, state, card=card), size)

    def put_copy(self, tab: str, root: str, visitor: str | None = None) -> None:
        """Makes the tab a copy of `root`, whose state from now on belongs to the visitor."""
        self._put(tab, Put(visitor, None, root), 0)

    def _put(self, tab: str, put: Put, size: int) -> None:
        if self._database:
            self._tabs.put(tab, put, put.visitor, schema.ROW + size)
            self._news.set()

    def reader(self, name: str) -> str:
        """The salted hash of a reader, in the file and in memory."""
        return holdings.owner(name, self._salt).hex()

    def share(self, transaction: Transaction, share: shares.Share) -> str | None:
        """Work that keeps it: the token of its link, or None for another reader's conversation."""
        if owner := shares.put(transaction, share):
            self._since_bound += len(share.snapshot)
            self._bound(transaction, {owner})
        return shares.token(transaction, share.reader, share.id)

    def now(self) -> float:
        return self._clock()

    async def root(self, tab: str) -> str | None:
        """The tab whose state this tab shows, usually itself; None if it is unknown."""
        if put := self._tabs.get(tab):
            return put.root or tab
        return await self.run(partial(tabs.root, tab=tab))

    async def tab(self, tab: str) -> State | None:
        """The latest state, or None."""
        root = await self.root(tab)
        if root and (put := self._tabs.get(root)):
            return put.state
        return await self.run(partial(tabs.state, tab=root)) if root else None

    async def log(self, reply: str, *, since: float = 0) -> list[Event]:
        """The log of a reply, empty if it was last written to before `since`. It ends in "shutdown"
        if it was cut off."""
        return logs.whole(await self.run(partial(logs.read, reply=reply, since=since)) or [])

    async def flush(self) -> bool:
        """Writes everything new. Returns false if the disk failed, and then keeps it for the next
        time."""
        async with self._flushing:
            puts = self._tabs.items()
            news = [log.news() for _, log in self._logs.items()]
            took = await self.run(partial(self._write, puts=puts, news=news))
            if took:
                self._forget_written(puts, news)
            return bool(took)

    def _forget_written(self, puts: list[tuple[str, Put]], news: list[News]) -> None:
        for tab, put in puts:
            if self._tabs.get(tab) is put:
                self._tabs.pop(tab)
        for each in news:
            log = each.log
            log.position = each.start + len(each.events)
            if log.reply.ending and len(log.reply.log) == log.position:
                self._logs.pop(log.reply)

    async def _write_behind(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(WRITE_DELAY)
            if not await self.flush():
                await asyncio.sleep(AGAIN)
            if len(self._logs) or len(self._tabs):
                self._news.set()

    def _write(
        self, transaction: Transaction, puts: list[tuple[str, Put]], news: list[News]
    ) -> bool:
        now, salt = self._clock(), schema.salt(transaction)
        visitors = {put.visitor for _, put in puts} | {each.log.visitor for each in news}
        owners = {visitor: holdings.owner(visitor, salt) for visitor in visitors}
        for tab, put in sorted(puts, key=lambda each: each[1].state is None):
            owner, most = owners[put.visitor], self.max_conversations
            self._since_bound += tabs.put(transaction, tab, put, owner, now, most=most)
        for each in news:
            self._since_bound += logs.put(transaction, each, owners[each.log.visitor], now)
        self._bound(transaction, set(owners.values()))
        if now >= self._prune_at:
            self._prune(transaction)
        return True

    def _bound(self, transaction: Transaction, owners: set[bytes]) -> None:
        """Evicts rows of these owners over their bound and, less often, of all owners."""
        dropped = [holdings.bound_owner(transaction, owner, self.bounds[0]) for owner in owners]
        if self._since_bound >= self.bounds[1] // 100:
            dropped.append(holdings.bound_all(transaction, self.bounds[1]))
            self._since_bound = 0
        if any(dropped):
            transaction.shrink()

    async def purge(self) -> None:
        """Removes every word of conversations that can no longer be restored."""
        await purging.purge(self.run, self._unrestorable())

    def _unrestorable(self) -> float:
        """The time by which a conversation was deleted that can no longer be restored."""
        return self._clock() - conversations.UNDO

    def _prune(self, transaction: Transaction) -> None:
        """Drops old rows, and then the oldest ones over the bound."""
        now = self._clock()
        self._prune_at = now + PRUNE_EVERY
        holdings.drop_old(transaction, now - self._max_age)
        files.drop_unused(transaction, now - files.UNUSED)
        holdings.bound_all(transaction, self.bounds[1])
        transaction.shrink()
