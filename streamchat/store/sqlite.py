"""A database in one SQLite file, used by one thread."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from streamchat.store.schema import MIGRATIONS, VERSION, Migration, migrate, version
from streamchat.store.seams import Away, TooNew, Work

logger = logging.getLogger(__name__)

# seconds
PATIENCE = 1.0
# endings of the names of the database's files
PARTS = ("", "-wal", "-shm")

PRAGMAS = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA journal_size_limit = 4194304;
"""

T = TypeVar("T")


class File(sqlite3.Connection):
    """A transaction on an SQLite connection."""

    def shrink(self) -> None:
        # commits first; `execute` would take the first page only
        self.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")


class SQLite:
    """Opens the file again after a failure. A damaged file is put aside, and a missing one is
    created. `patience` is how many seconds it waits for another process to let go of the file."""

    def __init__(
        self,
        path: Path,
        patience: float = PATIENCE,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self._path = path
        self._patience = patience
        self._migrations = migrations
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._file: File | None = None

    async def open(self) -> None:
        await self._off_loop(partial(refuse_later, self._path))

    async def run(self, work: Work[T]) -> T:
        try:
            return await self._off_loop(partial(self._do, work))
        except (sqlite3.Error, OSError) as error:
            raise Away(str(error)) from error

    async def close(self) -> None:
        await self._off_loop(self._disconnect)

    async def _off_loop(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _do(self, work: Work[T]) -> T:
        try:
            return self._transact(work)
        except sqlite3.Error as error:
            self._disconnect()
            if not is_damage(error):
                raise
            self._put_aside(error)
            return self._transact(work)

    def _transact(self, work: Work[T]) -> T:
        if self._file and not self._path.exists():
            self._disconnect()  # somebody deleted it
        file = self._file = self._file or self._connection()
        try:
            return within("BEGIN", file, work)
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_BUSY:
                raise
            # another process writes. SQLite does not wait for it once a transaction has read
            return within("BEGIN IMMEDIATE", file, work)

    def _connection(self) -> File:
        refuse_later(self._path)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        file = sqlite3.connect(
            self._path, timeout=self._patience, check_same_thread=False, factory=File
        )
        try:
            self._prepare(file)
        except sqlite3.Error:
            file.close()
            raise
        return file

    def _prepare(self, file: File) -> None:
        """Prepares the file, with retries: two processes that create it at once disturb each other,
        and SQLite does not wait."""
        until = time.monotonic() + self._patience
        while True:
            try:
                prepare(file, self._migrations)
            except sqlite3.OperationalError as error:
                if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
                time.sleep(0.01)
            else:
                return

    def _disconnect(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _put_aside(self, damage: sqlite3.Error) -> None:
        name = self._path.name
        aside = self._path.with_name(f"{name}.damaged")
        logger.warning(
            "What was kept cannot be read (%s): put aside as %s, begun anew.", damage, aside
        )
        for part in PARTS:
            if (old := self._path.with_name(name + part)).exists():
                old.replace(aside.with_name(aside.name + part))


def within(begin: str, file: File, work: Work[T]) -> T:
    """The result of work in a transaction that begins with this statement. Without one, Python
    would begin with the first change, and leave out what was read before it."""
    with file:
        file.execute(begin)
        return work(file)


def refuse_later(path: Path) -> None:
    """Raises `TooNew` for a file of a later release."""
    if version_of(path) > VERSION:
        raise TooNew(path)


def version_of(path: Path) -> int:
    """The version of a file, read without changing a byte. 0 for an unreadable file, whose error
    shows on use."""
    with suppress(sqlite3.Error, OSError), closing(unchanging(path)) as file:
        return version(file)
    return 0


def unchanging(path: Path) -> File:
    """A connection that can only read."""
    # the last writes may be in a log beside the file; where there is none, `mode=ro` would leave
    # one
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", timeout=PATIENCE, uri=True, factory=File
    )


def prepare(file: File, migrations: Sequence[Migration]) -> None:
    """Creates the tables, or migrates those of an earlier release, one transaction for each
    version."""
    file.executescript(PRAGMAS)
    while version(file) < len(migrations):
        with file:
            file.execute("BEGIN IMMEDIATE")
            migrate(file, migrations)


def is_damage(error: sqlite3.Error) -> bool:
    return code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for errors that Python raises itself."""
    found: int = getattr(error, "sqlite_errorcode", 0)
    return found & 0xFF
