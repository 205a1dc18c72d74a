"""Rows of replies' costs: one for each reply of the last two days, and the sums of earlier days."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamchat.store.seams import Transaction

PUT = "INSERT OR REPLACE INTO spending (reply, day, visitor, micros) VALUES (?, ?, ?, ?)"
FOLD = """
INSERT OR REPLACE INTO spending (reply, day, visitor, micros)
SELECT day, day, x'', SUM(micros) FROM spending WHERE day < ? GROUP BY day
"""
DROP_FOLDED = "DELETE FROM spending WHERE day < ? AND reply <> CAST(day AS TEXT) OR day < ?"


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a reply: its reservation until it is settled, then its price. Days count from
    1970."""

    day: int
    visitor: bytes
    micros: int


def put(transaction: Transaction, costs: Mapping[str, Cost]) -> None:
    """Writes costs of replies; each replaces the reply's earlier one."""
    transaction.executemany(
        PUT, [(reply, cost.day, cost.visitor, cost.micros) for reply, cost in costs.items()]
    )


def drop(transaction: Transaction, replies: Iterable[str]) -> None:
    transaction.executemany("DELETE FROM spending WHERE reply = ?", [(reply,) for reply in replies])


def of_days(transaction: Transaction) -> Counter[int]:
    """The sum of each day."""
    rows = transaction.execute("SELECT day, SUM(micros) FROM spending GROUP BY day").fetchall()
    return Counter(dict(rows))


def of_visitors(transaction: Transaction, day: int) -> Counter[bytes]:
    """The sum of each visitor on that day."""
    found = "SELECT visitor, SUM(micros) FROM spending WHERE day = ? GROUP BY visitor"
    return Counter(dict(transaction.execute(found, (day,)).fetchall()))


def has_begun(transaction: Transaction, day: int) -> bool:
    """Whether that day, or a later one, has begun in the file."""
    return (
        transaction.execute("SELECT 1 FROM visitor_key WHERE day >= ?", (day,)).fetchone()
        is not None
    )


def begin(transaction: Transaction, day: int, key: bytes, *, since: int) -> bytes:
    """Begins a day. Returns the key of its visitors: the stored one or, if there is none, the given
    one.

    Days before yesterday keep only their sums, from the day `since` on; the keys to their visitors
    are deleted.
    """
    transaction.execute(FOLD, (day - 1,))
    transaction.execute(DROP_FOLDED, (day - 1, since))
    transaction.execute("DELETE FROM visitor_key WHERE day <> ?", (day,))
    transaction.execute("INSERT OR IGNORE INTO visitor_key (day, key) VALUES (?, ?)", (day, key))
    kept: bytes = transaction.execute("SELECT key FROM visitor_key").fetchone()[0]
    return kept
