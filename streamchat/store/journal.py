"""Rows about ended replies: how each one went, never its text."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from streamchat.store.seams import Transaction
from streamchat.store.values import restored

# Before the name of an errand it is the reason of its entry. No reason of Claude's has a colon.
ERRAND = "errand:"


@dataclass(frozen=True, slots=True)
class Entry:
    """A reply that ended `at` that time. Times are in seconds, speed in tokens per second, money in
    the owner's dollars. `assumed` is the part of the cost that Claude did not count."""

    at: float
    model: str
    reason: str
    failed: bool
    words: int
    first_word: float | None
    speed: float | None
    cost: float
    assumed: float = 0.0
    searches: int = 0

    @property
    def is_answer(self) -> bool:
        """Whether a visitor asked for it. False for the program's own errands."""
        return not self.reason.startswith(ERRAND)


COLUMNS = [field.name for field in fields(Entry)]
# no input
READ = f"SELECT {', '.join(COLUMNS)} FROM journal WHERE at > ? ORDER BY at DESC LIMIT ?"  # noqa: S608
WRITE = f"INSERT INTO journal ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608


def read(transaction: Transaction, *, since: float, most: int) -> list[Entry]:
    """The last entries after `since`, `most` at most, oldest first."""
    rows = transaction.execute(READ, (since, most)).fetchall()
    return [entry(dict(zip(COLUMNS, row, strict=True))) for row in reversed(rows)]


def entry(row: dict[str, Any]) -> Entry:
    return restored(Entry, row | {"failed": bool(row["failed"])})


def write(transaction: Transaction, entries: Sequence[Entry], *, since: float, most: int) -> bool:
    """Writes entries, and keeps only the last `most` that are not older than `since`."""
    transaction.executemany(WRITE, map(astuple, entries))
    transaction.execute("DELETE FROM journal WHERE at < ?", (since,))
    transaction.execute(
        "DELETE FROM journal WHERE rowid <= (SELECT MAX(rowid) FROM journal) - ?", (most,)
    )
    return True
