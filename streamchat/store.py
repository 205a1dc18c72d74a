"""The one SQLite file: what survives a restart, written behind the replies and never in their way."""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

from streamchat.events import Done, Event, Failed, Receipt, Text, Usage
from streamchat.reply import Reply

logger = logging.getLogger(__name__)

NAME = "streamchat.sqlite3"
BEHIND = 0.2  # seconds that the file may lag behind the replies
AGAIN = 5.0  # seconds between attempts at a disk that fails
BUSY = 1.0  # seconds to wait for another process to let go of the file
MAX_AGE = 30 * 86_400.0  # seconds
MAX_BYTES = 256 * 1024**2
PRUNE_EVERY = 3_600.0  # seconds
MAX_WAITING = 1_000  # tabs, and ended replies, that wait for a disk that fails
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = 4194304;
CREATE TABLE IF NOT EXISTS events (reply TEXT, position INTEGER, events TEXT, at REAL, PRIMARY KEY (reply, position));
CREATE TABLE IF NOT EXISTS tabs (id TEXT PRIMARY KEY, state TEXT, at REAL);
CREATE INDEX IF NOT EXISTS events_at ON events (at);
CREATE INDEX IF NOT EXISTS tabs_at ON tabs (at);
"""
USED = """
SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
News = tuple[Reply, int, list[Event]]  # what is new in a reply's log since that position


class Store:
    """Keeps replies and tabs in a folder; with none, or a disk that fails, it keeps nothing and says so once."""

    def __init__(self, folder: str, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._path = Path(folder) / NAME
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._file: sqlite3.Connection | None = None
        self._written: dict[Reply, int] = {}
        self._tabs: dict[str, str] = {}  # not yet written; the one put last is the last
        self._news = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._prune_at = 0.0
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

    def follow(self, reply: Reply) -> None:
        """From now on what is written to the reply's log is written to the file too."""
        if self._folder:
            self._written[reply] = 0
            self._news.set()

    def put_tab(self, tab: str, state: dict[str, Any]) -> None:
        if self._folder:
            self._tabs.pop(tab, None)
            self._tabs[tab] = json.dumps(state)
            self._news.set()

    async def tab(self, tab: str) -> dict[str, Any] | None:
        """The state last put, or None."""
        state = self._tabs.get(tab) or await self.run(partial(_state, tab=tab)) or "null"
        loaded: dict[str, Any] | None = json.loads(state)
        return loaded

    async def log(self, reply: str, *, since: float = 0) -> list[Event]:
        """The log of a reply that was written to at the earliest at `since`; ends in "shutdown" if it was cut off."""
        log = await self.run(partial(_log, reply=reply, since=since))
        return [*log, Done("shutdown")] if log and not isinstance(log[-1], Done | Failed) else log or []

    async def flush(self) -> bool:
        """Writes what is new; false if the disk did not take it, which then waits for the next time."""
        async with self._flushing:
            tabs = dict(self._tabs)
            news = [(reply, start, reply.log[start:]) for reply, start in self._written.items()]
            took = await self.run(partial(self._write, tabs, news))
            if took:
                self._forget_written(tabs, news)
            else:
                self._forget_oldest()
            return bool(took)

    def _forget_written(self, tabs: dict[str, str], news: list[News]) -> None:
        for tab, state in tabs.items():
            if self._tabs[tab] is state:
                del self._tabs[tab]
        for reply, start, events in news:
            self._written[reply] = start + len(events)
            if reply.ending and len(reply.log) == self._written[reply]:
                del self._written[reply]

    def _forget_oldest(self) -> None:
        ended = [reply for reply in self._written if reply.ending]
        for reply in ended[: max(0, len(ended) - MAX_WAITING)]:
            del self._written[reply]
        for tab in list(self._tabs)[: max(0, len(self._tabs) - MAX_WAITING)]:
            del self._tabs[tab]

    async def _write_behind(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(BEHIND)
            if not await self.flush():
                await asyncio.sleep(AGAIN)
            if self._written or self._tabs:
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

    def _write(self, tabs: dict[str, str], news: list[News], file: sqlite3.Connection) -> bool:
        now = self._clock()
        states = [(_plain(tab), state, now) for tab, state in tabs.items()]
        logs = [(reply.id, start, json.dumps(list(map(encoded, new))), now) for reply, start, new in news if new]
        file.executemany("INSERT OR REPLACE INTO tabs VALUES (?, ?, ?)", states)
        file.executemany("INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?)", logs)
        if now >= self._prune_at or _used(file) > MAX_BYTES:
            self._prune(file)
        return True

    def _prune(self, file: sqlite3.Connection) -> None:
        """Drops what is too old, then the oldest until the rest is small enough."""
        now, age = self._clock(), MAX_AGE
        self._prune_at = now + PRUNE_EVERY
        _drop(file, now - age)
        while _used(file) > 0.9 * MAX_BYTES and age > 1:
            age *= 0.8
            _drop(file, now - age)
        file.executescript("PRAGMA incremental_vacuum")


def _prepare(file: sqlite3.Connection) -> None:
    """Two processes that begin a file together get in each other's way, and SQLite does not wait for that to end."""
    until = time.monotonic() + BUSY
    while True:
        try:
            file.executescript(SCHEMA)
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


def _state(file: sqlite3.Connection, tab: str) -> str | None:
    row = file.execute("SELECT state FROM tabs WHERE id = ?", (_plain(tab),)).fetchone()
    return row[0] if row else None


def _log(file: sqlite3.Connection, reply: str, since: float) -> list[Event]:
    """What is kept of the log from its beginning; nothing where it was last written to before `since`."""
    query = "SELECT position, events, at FROM events WHERE reply = ? ORDER BY position"
    rows = file.execute(query, (_plain(reply),)).fetchall()
    log: list[Event] = []
    for position, events, _ in rows if rows and rows[-1][2] >= since else []:
        if position == len(log):
            log += map(decoded, json.loads(events))
    return log


def _drop(file: sqlite3.Connection, before: float) -> None:
    file.execute("DELETE FROM events WHERE at < ?", (before,))
    file.execute("DELETE FROM tabs WHERE at < ?", (before,))


def _used(file: sqlite3.Connection) -> int:
    used: int = file.execute(USED).fetchone()[0]
    return used


def _plain(name: str) -> str:
    """An id as SQLite takes it: one that a browser sent may not be valid Unicode."""
    return name.encode(errors="backslashreplace").decode()


def _is_damage(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; errors of Python's own making have none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
