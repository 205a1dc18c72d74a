"""The sums spent, in the memory of a process, and their exchange with the store."""

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial

from streamchat.store import Transaction, spending
from streamchat.store.spending import Cost

KEPT = 35  # days
NOTHING = Cost(0, b"", 0)


@dataclass
class Ledger:
    """The sums spent on every day, and today's by each visitor, who is a hash that changes
    daily."""

    day: int
    key: bytes = field(default_factory=partial(secrets.token_bytes, 32))
    days: Counter[int] = field(default_factory=Counter)
    visitors: Counter[bytes] = field(default_factory=Counter)

    def change(self, before: Cost, after: Cost) -> None:
        for cost, micros in ((before, -before.micros), (after, after.micros)):
            self.days[cost.day] += micros
            self.visitors[cost.visitor] += micros

    def visitor(self, name: str | None) -> bytes:
        if name is None:
            return b""
        return hashlib.blake2b(
            name.encode(errors="surrogatepass"), key=self.key, digest_size=16
        ).digest()


class FileIsNew(Exception):
    """The file lacks the day that this process began in it, so it is a new file."""


@dataclass(frozen=True)
class News:
    """The sums that the file does not have yet; `begun` is the last day begun in it, 0 before it
    was read."""

    costs: dict[str, Cost]
    day: int
    key: bytes
    begun: int

    def exchange(self, transaction: Transaction) -> Ledger:
        """Writes the costs. Returns the sums that only the file knew, if it was not read yet, and
        the key of the day.

        Raises `FileIsNew`, and writes nothing, if the file has lost the day that was begun in it.
        """
        if self.begun and not spending.has_begun(transaction, self.begun):
            raise FileIsNew
        return self.write(transaction)

    def write(self, transaction: Transaction) -> Ledger:
        spending.drop(transaction, self.costs)
        known = Ledger(self.day, self.key) if self.begun else read(transaction, self.day)
        if self.begun != self.day:
            known.key = begin(transaction, self.day, self.key)
        spending.put(transaction, self.costs)
        return known


@dataclass(frozen=True)
class Memory:
    """A process's spending: the sums of earlier days, today's sums of each visitor, and the
    reservations, which are in none of these sums."""

    day: int
    key: bytes
    days: dict[int, int]
    visitors: Counter[bytes]
    reserved: dict[str, Cost]

    def restore(self, transaction: Transaction, news: News) -> Ledger:
        """Writes everything to a new file, and then the news."""
        key = begin(transaction, self.day, self.key)
        spending.put(
            transaction, {str(day): Cost(day, b"", micros) for day, micros in self.days.items()}
        )
        sums = [
            Cost(self.day, visitor, micros)
            for visitor, micros in self.visitors.items()
            if micros > 0
        ]
        spending.put(transaction, {f"{self.day}/{cost.visitor.hex()}": cost for cost in sums})
        spending.put(transaction, self.reserved)
        return replace(news, key=key, begun=self.day).write(transaction)


def read(transaction: Transaction, day: int) -> Ledger:
    days, visitors = spending.of_days(transaction), spending.of_visitors(transaction, day)
    return Ledger(day, days=days, visitors=visitors)


def begin(transaction: Transaction, day: int, key: bytes) -> bytes:
    """Begins a day; returns the key that its visitors are hashed with."""
    return spending.begin(transaction, day, key, since=day - KEPT)
