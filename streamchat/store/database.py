"""The one SQLite file: what survives a restart, written behind the replies and never in their way."""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

from streamchat.events import Done, Event, Failed, Receipt, Text, Usage
from streamchat.replies import Reply
from streamchat.store.holdings import bound_all, bound_owner, drop_old, owner
from streamchat.store.schema import ROW, prepare, salt
from streamchat.visitors import Shelf

logger = logging.getLogger(__name__)

NAME = "streamchat.sqlite3"
BEHIND = 0.2  # seconds that the file may lag behind the replies
AGAIN = 5.0  # seconds between attempts at a disk that fails
BUSY = 1.0  # seconds to wait for another process to let go of the file
MAX_AGE = 30 * 86_400.0  # seconds
MAX_BYTES = 256 * 1024**2  # of what is kept for all
# of one visitor; generous, because a whole office may be one address
VISITOR_BYTES = 64 * 1024**2
PRUNE_EVERY = 3_600.0  # seconds
MAX_WAITING = 1_000  # tabs, and ended replies, that wait for a disk that fails
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

PUT_TAB = """
INSERT INTO tabs (id, state, at, owner, size, reply, root) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
SET state = excluded.state, at = excluded.at, owner = excluded.owner, size = excluded.size, reply = excluded.reply,
root = excluded.root
"""
PUT_EVENTS = """
INSERT INTO events (reply, position, events, at, owner, size) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET events = excluded.events, at = excluded.at, owner = excluded.owner, size = excluded.size
"""
TAKE_TAB = "UPDATE tabs SET at = ?, owner = ? WHERE id = ?"
TAKE_LOG = "UPDATE events SET owner = ? WHERE reply = (SELECT reply FROM tabs WHERE id = ?)"

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
State = dict[str, Any]


@dataclass(slots=True)
class Following:
    """A reply whose log is in the file up to that position."""

    reply: Reply
    visitor: str | None
    position: int = 0


@dataclass(frozen=True, slots=True)
class Put:
    """A tab to be written: with a state of its own, or as a copy of the tab `root`."""

    visitor: str | None
    state: State | None
    root: str | None = None


News = tuple[Following, list[Event]]


class Store:
    """Keeps replies and tabs in a folder; with none, or a disk that fails, it keeps nothing and says so once."""

    def __init__(
        self,
        folder: str,
        *,
        clock: Callable[[], float] = time.time,
        max_bytes: int = MAX_BYTES,
        visitor_bytes: int = VISITOR_BYTES,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._max_bytes = max_bytes
        self._visitor_bytes = visitor_bytes
        self._folder = folder
        self._path = Path(folder) / NAME
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._file: sqlite3.Connection | None = None
        self._salt = b""
        self._logs: Shelf[Reply, Following] = Shelf(most=max_waiting, held=lambda log: log.reply.ending is None)
        self._tabs: Shelf[str, Put] = Shelf(most=max_waiting, share=visitor_bytes)  # not yet written
        self._news = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._prune_at = 0.0
        self._since_bound = 0  # bytes that were written since all were counted
        self._warned = False

    @property
    def is_kept(self) -> bool:
        """Whether there is a folder to keep anything in."""
        return bool(self._folder)

    async def open(self) -> None:
        await self.run(self._prune)
        self._writer = asyncio.create_task(self._write_behind())

    async def close(self) -> None:
        """Writes what is not yet written."""
        if self._writer:
            self._writer.cancel()
        await self.flush()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)

    async def run(self, work: Work[T]) -> T | None:
        """The result of work done in one transaction, off the event loop; None without a file or if the disk fails."""
        if not self._folder:
            return None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)
        except (sqlite3.Error, OSError) as error:
            if not self._warned:
                logger.warning("Conversations will not survive a restart: %s (%s)", error, self._folder)
                self._warned = True
            return None

    def follow(self, reply: Reply, visitor: str | None = None) -> None:
        """From now on what is written to the reply's log is written to the file too, for the visitor."""
        if self._folder:
            self._logs.put(reply, Following(reply, visitor), visitor)
            self._news.set()

    def put_tab(self, tab: str, state: State, visitor: str | None = None, *, size: int = 0) -> None:
        """Keeps the state, which must not change any more and takes about `size` bytes, for the visitor."""
        self._put(tab, Put(visitor, state), size)

    def put_copy(self, tab: str, root: str, visitor: str | None = None) -> None:
        """From now on the tab has the state that was put for `root`, which now is the visitor's as well."""
        self._put(tab, Put(visitor, None, root), 0)

    def _put(self, tab: str, put: Put, size: int) -> None:
        if self._folder:
            self._tabs.put(tab, put, put.visitor, ROW + size)
            self._news.set()

    async def root(self, tab: str) -> str | None:
        """The tab whose state it has, which mostly is its own; None if it has none."""
        if put := self._tabs.get(tab):
            return put.root or tab
        return await self.run(partial(_root, tab=tab))

    async def tab(self, tab: str) -> State | None:
        """The state last put, or None."""
        root = await self.root(tab)
        if root and (put := self._tabs.get(root)):
            return put.state
        return await self.run(partial(_state, tab=root)) if root else None

    async def log(self, reply: str, *, since: float = 0) -> list[Event]:
        """The log of a reply that was written to at the earliest at `since`; ends in "shutdown" if it was cut off."""
        log = await self.run(partial(_log, reply=reply, since=since))
        return [*log, Done("shutdown")] if log and not isinstance(log[-1], Done | Failed) else log or []

    async def flush(self) -> bool:
        """Writes what is new; false if the disk did not take it, which then waits for the next time."""
        async with self._flushing:
            tabs = self._tabs.items()
            news = [(log, log.reply.log[log.position :]) for _, log in self._logs.items()]
            took = await self.run(partial(self._write, tabs, news))
            if took:
                self._forget_written(tabs, news)
            return bool(took)

    def _forget_written(self, tabs: list[tuple[str, Put]], news: list[News]) -> None:
        for tab, put in tabs:
            if self._tabs.get(tab) is put:
                self._tabs.pop(tab)
        for log, events in news:
            log.position += len(events)
            if log.reply.ending and len(log.reply.log) == log.position:
                self._logs.pop(log.reply)

    async def _write_behind(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(BEHIND)
            if not await self.flush():
                await asyncio.sleep(AGAIN)
            if len(self._logs) or len(self._tabs):
                self._news.set()

    def _do(self, work: Work[T]) -> T:
        """Does the work; after a failure the file is opened anew, and if it is damaged, a new one is begun."""
        try:
            return self._transact(work)
        except sqlite3.Error as error:
            self._disconnect()
            if not _is_damage(error):
                raise
            self._put_aside(error)
            return self._transact(work)

    def _transact(self, work: Work[T]) -> T:
        if self._file and not self._path.exists():
            self._disconnect()  # somebody deleted it
        file = self._file = self._file or self._connection()
        with file:
            return work(file)

    def _connection(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        file = sqlite3.connect(self._path, timeout=BUSY, check_same_thread=False)
        try:
            _prepare(file)
            self._salt = salt(file)
        except sqlite3.Error:
            file.close()
            raise
        return file

    def _disconnect(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _put_aside(self, damage: sqlite3.Error) -> None:
        aside = self._path.with_name(f"{NAME}.damaged")
        logger.warning("What was kept cannot be read (%s): put aside as %s, begun anew.", damage, aside)
        for part in ("", "-wal", "-shm"):
            if (old := self._path.with_name(NAME + part)).exists():
                old.replace(aside.with_name(aside.name + part))

    def _write(self, tabs: list[tuple[str, Put]], news: list[News], file: sqlite3.Connection) -> bool:
        now = self._clock()
        visitors = {put.visitor for _, put in tabs} | {log.visitor for log, _ in news}
        owners = {visitor: owner(visitor, self._salt) for visitor in visitors}
        for tab, put in sorted(tabs, key=lambda each: each[1].state is None):
            self._since_bound += _put_tab(file, tab, put, owners[put.visitor], now)
        for log, events in news:
            if events:
                self._since_bound += _put_events(file, log, events, owners[log.visitor], now)
        self._bound(file, set(owners.values()))
        if now >= self._prune_at:
            self._prune(file)
        return True

    def _bound(self, file: sqlite3.Connection, owners: set[bytes]) -> None:
        """Evicts what each of these owners holds too much of and, less often, what all owners do."""
        dropped = [bound_owner(file, owner, self._visitor_bytes) for owner in owners]
        if self._since_bound >= self._max_bytes // 100:
            dropped.append(bound_all(file, self._max_bytes))
            self._since_bound = 0
        if any(dropped):
            file.executescript("PRAGMA incremental_vacuum")

    def _prune(self, file: sqlite3.Connection) -> None:
        """Drops what is too old, and then what is too much."""
        now = self._clock()
        self._prune_at = now + PRUNE_EVERY
        drop_old(file, now - MAX_AGE)
        bound_all(file, self._max_bytes)
        file.executescript("PRAGMA incremental_vacuum")


def _prepare(file: sqlite3.Connection) -> None:
    """Two processes that begin a file together get in each other's way, and SQLite does not wait for that to end."""
    until = time.monotonic() + BUSY
    while True:
        try:
            prepare(file)
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)
        else:
            return


def encoded(event: Event) -> list[Any]:
    if isinstance(event, Text):  # nearly all of them
        return ["Text", {"text": event.text}]
    return [type(event).__name__, asdict(event)]


def decoded(encoded: list[Any]) -> Event:
    kind, fields = encoded
    if "usage" in fields:
        fields["usage"] = Usage(**fields["usage"])
        fields["receipt"] = Receipt(**fields["receipt"]) if fields.get("receipt") else None
    return KINDS[kind](**fields)


def _put_tab(file: sqlite3.Connection, tab: str, put: Put, owner: bytes, now: float) -> int:
    text, reply, root = None, None, None
    if put.state is not None:
        text, reply = _json(put.state), put.state.get("reply")
    elif put.root:
        root = _plain(put.root)
        file.execute(TAKE_TAB, (now, owner, root))
        file.execute(TAKE_LOG, (owner, root))
    size = ROW + len((text or "").encode())
    file.execute(PUT_TAB, (_plain(tab), text, now, owner, size, reply, root))
    return size


def _put_events(file: sqlite3.Connection, log: Following, events: list[Event], owner: bytes, now: float) -> int:
    text = json.dumps(list(map(encoded, events)))
    size = ROW + len(text)
    file.execute(PUT_EVENTS, (log.reply.id, log.position, text, now, owner, size))
    return size


def _json(state: State) -> str:
    """The shortest JSON that SQLite takes: half a character has to be escaped."""
    text = json.dumps(state, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(state)
    return text


def _root(file: sqlite3.Connection, tab: str) -> str | None:
    row = file.execute("SELECT COALESCE(root, id) FROM tabs WHERE id = ?", (_plain(tab),)).fetchone()
    return row[0] if row else None


def _state(file: sqlite3.Connection, tab: str) -> State | None:
    row = file.execute("SELECT state FROM tabs WHERE id = ? AND state IS NOT NULL", (_plain(tab),)).fetchone()
    state: State | None = json.loads(row[0]) if row else None
    return state


def _log(file: sqlite3.Connection, reply: str, since: float) -> list[Event]:
    """What is kept of the log from its beginning; nothing where it was last written to before `since`."""
    query = "SELECT position, events, at FROM events WHERE reply = ? ORDER BY position"
    rows = file.execute(query, (_plain(reply),)).fetchall()
    log: list[Event] = []
    for position, events, _ in rows if rows and rows[-1][2] >= since else []:
        if position == len(log):
            log += map(decoded, json.loads(events))
    return log


def _plain(name: str) -> str:
    """An id as SQLite takes it: one that a browser sent may not be valid Unicode."""
    return name.encode(errors="backslashreplace").decode()


def _is_damage(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; errors of Python's own making have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
