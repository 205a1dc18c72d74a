"""Whether the owner has paused the source; on disk, so that a restart does not undo it."""

import sqlite3
import time
from functools import partial

from streamchat.errors import Paused
from streamchat.store import Store

SCHEMA = "CREATE TABLE IF NOT EXISTS pause (since REAL)"


class Pause:
    """`since` is the time at which it began, or None while nothing is paused."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.since: float | None = None

    async def open(self) -> None:
        """Reads whether it is paused."""
        self.since = await self._store.run(read)

    async def turn(self, *, on: bool) -> None:
        self.since = (self.since or time.time()) if on else None
        await self._store.run(partial(write, self.since))

    def check(self) -> None:
        """Raises `Paused` if it is."""
        if self.since is not None:
            raise Paused


def read(file: sqlite3.Connection) -> float | None:
    file.execute(SCHEMA)
    row = file.execute("SELECT since FROM pause").fetchone()
    return row[0] if row else None


def write(since: float | None, file: sqlite3.Connection) -> None:
    file.execute(SCHEMA)
    file.execute("DELETE FROM pause")
    if since is not None:
        file.execute("INSERT INTO pause VALUES (?)", (since,))
