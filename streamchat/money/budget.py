"""How much money may be spent in a day (UTC), by all and by each visitor."""

import asyncio
import hashlib
import logging
import math
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from streamchat.errors import DayIsSpent, NotRecorded, Refused, TooDear, VisitorIsSpent
from streamchat.store import Store
from streamchat.visitors import Local

logger = logging.getLogger(__name__)

DAY = 86_400  # seconds
KEPT = 35  # days
MICROS = 1_000_000  # of a dollar; money is counted in whole ones, so that no sum is ever rounded
MAX_WAITING = 10_000  # costs that wait for a disk that fails
RETRY_AFTER = 30.0  # seconds, where the disk takes nothing

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS spending (reply TEXT PRIMARY KEY, day INTEGER, visitor BLOB, micros INTEGER)",
    "CREATE INDEX IF NOT EXISTS spending_day ON spending (day)",
    "CREATE TABLE IF NOT EXISTS visitor_key (day INTEGER PRIMARY KEY, key BLOB)",
)
FOLD = "INSERT OR REPLACE INTO spending SELECT day, day, x'', SUM(micros) FROM spending WHERE day < ? GROUP BY day"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a reply counts: what is reserved for it, or what it cost once it is settled. Days are since 1970."""

    day: int
    visitor: bytes
    micros: int


NOTHING = Cost(0, b"", 0)


@dataclass
class Ledger:
    """What was spent on every day, and on the last one by each visitor, who is a hash that holds for that day."""

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
        return hashlib.blake2b(name.encode(errors="surrogatepass"), key=self.key, digest_size=16).digest()


class Budget:
    """So many dollars for a day, and so many of them for one visitor. What is reserved counts as spent until settled.

    A reservation is on disk before it is given, so that no restart hands the same money out again: where a store is
    kept and the disk does not take it, it is refused. A file that is lost while the process runs gets back all that
    the process knows. For a `Local` visitor `local` holds in place of `visitor`, where it is given.
    """

    def __init__(
        self,
        store: Store,
        *,
        daily: float,
        visitor: float | None,
        local: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._clock = clock
        self._daily = math.floor(micros(daily))
        self._share = self._daily if visitor is None else math.floor(micros(visitor))
        self._local_share = self._share if local is None else math.floor(micros(local))
        self._ledger = Ledger(self._today())
        self._reserved: dict[str, Cost] = {}
        self._unwritten: dict[str, Cost] = {}
        self._begun = 0  # the last day that the file knows of
        self._writing = asyncio.Lock()
        self._attempts = self._finished = 0
        self.is_recorded = True

    async def open(self) -> None:
        """Reads what is already spent."""
        await self._write()

    async def reserve(self, reply: str, visitor: str | None, dollars: float) -> None:
        """Sets money aside. Without a visitor, no share counts.

        Raises `DayIsSpent`, `VisitorIsSpent`, or `NotRecorded` where the disk does not take it.
        What is more than there is on any day raises `TooDear`, unless that is nothing.
        What is reserved for a reply that has a reservation comes on top of that, and all of it is today's.
        """
        self._turn()
        if self._begun != self._ledger.day:
            await self._write()
            self._turn()
        before, wanted = self._reserved.get(reply, NOTHING), math.ceil(micros(dollars))
        cost = Cost(self._ledger.day, self._ledger.visitor(visitor), before.micros + wanted)
        if 0 < (self._daily if visitor is None else min(self._daily, self._share_of(visitor))) < wanted:
            raise TooDear
        self._ledger.change(before, cost)
        if refusal := self._refusal(cost, self._share_of(visitor)):
            self._ledger.change(cost, before)
            raise refusal
        self._reserved[reply] = cost
        self._keep(reply, cost)
        try:
            await self._record(reply, cost)
        except BaseException:
            self._take_back(reply, cost, before.micros)
            raise

    async def _record(self, reply: str, cost: Cost) -> None:
        await self._write()
        recorded = not self._store.is_kept or self._unwritten.get(reply) is not cost
        if self.is_recorded and not recorded:
            logger.warning("%s Costs are not on the disk; see the folder STREAMCHAT_DATA_DIR.", NotRecorded.sentence)
        self.is_recorded = recorded
        if not recorded:
            raise NotRecorded(retry_after=RETRY_AFTER)

    async def settle(self, reply: str, dollars: float) -> None:
        """Counts what the reply cost instead of what was reserved for it; the first time is the one that counts."""
        if reserved := self._reserved.pop(reply, None):
            cost = replace(reserved, micros=math.ceil(micros(dollars)))
            self._ledger.change(reserved, cost)
            self._keep(reply, cost)
            await self._write()

    def spent(self, visitor: str | None = None) -> float:
        """Dollars of today, of all or of a visitor."""
        self._turn()
        return self._spent(self._ledger.visitor(visitor)) / MICROS

    def left(self, visitor: str | None = None) -> float:
        """Dollars of today, for all or for a visitor."""
        self._turn()
        left = self._daily - self._spent(b"")
        if visitor is not None:
            left = min(left, self._share_of(visitor) - self._spent(self._ledger.visitor(visitor)))
        return max(0, left) / MICROS

    def left_without_reserved(self, visitor: str) -> float:
        """Dollars of today that are left for a visitor as if their replies that still run cost nothing."""
        left, name = self.left(visitor), self._ledger.visitor(visitor)
        mine = [cost.micros for cost in self._reserved.values() if cost.visitor == name]
        return left + sum(mine) / MICROS

    def reserved(self) -> float:
        """Dollars of today that are spent only if the worst comes."""
        self._turn()
        return sum(cost.micros for cost in self._reserved.values() if cost.day == self._ledger.day) / MICROS

    def days(self, number: int) -> list[tuple[date, float]]:
        """Dollars of each of the last days; the last one is today."""
        self._turn()
        last = range(self._ledger.day - number + 1, self._ledger.day + 1)
        return [(date(1970, 1, 1) + timedelta(day), self._ledger.days[day] / MICROS) for day in last]

    def _today(self) -> int:
        return int(self._clock() // DAY)

    def _turn(self) -> None:
        """After midnight begins a new day. What is still reserved after another one is never settled."""
        if (today := self._today()) > self._ledger.day:
            self._ledger = Ledger(today, days=self._ledger.days)
            self._reserved = {reply: cost for reply, cost in self._reserved.items() if cost.day >= today - 1}

    def _share_of(self, visitor: str | None) -> int:
        return self._local_share if isinstance(visitor, Local) else self._share

    def _spent(self, visitor: bytes) -> int:
        return self._ledger.visitors[visitor] if visitor else self._ledger.days[self._ledger.day]

    def _refusal(self, cost: Cost, share: int) -> Refused | None:
        """Why the ledger cannot stay as it is with this cost in it."""
        seconds = DAY - self._clock() % DAY
        if self._spent(b"") > self._daily:
            return DayIsSpent(retry_after=seconds)
        if cost.visitor and self._spent(cost.visitor) > share:
            return VisitorIsSpent(retry_after=seconds)
        return None

    def _take_back(self, reply: str, cost: Cost, micros: int) -> None:
        """Leaves so much of a reservation that nobody waits for, unless it was settled meanwhile."""
        if self._reserved.get(reply) is cost:
            self._reserved[reply] = left = replace(cost, micros=micros)
            self._ledger.change(cost, left)
            self._keep(reply, left)

    def _keep(self, reply: str, cost: Cost) -> None:
        self._unwritten.pop(reply, None)
        self._unwritten[reply] = cost
        if len(self._unwritten) > MAX_WAITING:
            del self._unwritten[next(iter(self._unwritten))]

    async def _write(self) -> None:
        """Brings the file up to date. Who comes while that is being done shares the next time with all who do."""
        attempts = self._attempts
        async with self._writing:
            if self._finished > attempts:
                return
            self._attempts = attempt = self._attempts + 1
            ledger, costs = self._ledger, dict(self._unwritten)
            if costs or self._begun != ledger.day:
                news = News(costs, ledger.day, ledger.key, self._begun)
                try:
                    known = await self._store.run(news.exchange)
                except FileIsNew:
                    known = await self._store.run(partial(self._memory().restore, news))
                if known:
                    self._learn(known, costs)
            self._finished = attempt

    def _memory(self) -> "Memory":
        """All that a file has to know that was begun while the process runs."""
        open_costs = {**self._reserved, **self._unwritten}
        visitors = Counter(self._ledger.visitors)
        for cost in open_costs.values():
            if cost.day == self._ledger.day:
                visitors[cost.visitor] -= cost.micros
        days = {day: micros for day, micros in self._ledger.days.items() if day != self._ledger.day}
        return Memory(self._ledger.day, self._ledger.key, days, visitors, self._reserved.copy())

    def _learn(self, known: Ledger, written: dict[str, Cost]) -> None:
        """Adds what only the file knew, and forgets what it knows now."""
        self._begun = known.day
        self._ledger.days.update(known.days)
        if known.day == self._ledger.day:
            self._ledger.key = known.key
            self._ledger.visitors.update(known.visitors)
        for reply, cost in written.items():
            if self._unwritten.get(reply) is cost:
                del self._unwritten[reply]


class FileIsNew(Exception):
    """The file knows nothing of the day that this process has begun in it: another one is in its place."""


@dataclass(frozen=True)
class News:
    """What the file does not know yet; `begun` is the last day that was begun in it, 0 before it was read."""

    costs: dict[str, Cost]
    day: int
    key: bytes
    begun: int

    def exchange(self, file: sqlite3.Connection) -> Ledger:
        """Writes the costs; returns what only the file knew, if it was not read yet, and the key of the day.

        Raises `FileIsNew` and writes nothing if the file has lost the day that was begun in it.
        """
        create(file)
        if self.begun and not has_begun(file, self.begun):
            raise FileIsNew
        return self.write(file)

    def write(self, file: sqlite3.Connection) -> Ledger:
        file.executemany("DELETE FROM spending WHERE reply = ?", [(reply,) for reply in self.costs])
        known = Ledger(self.day, self.key) if self.begun else read(file, self.day)
        if self.begun != self.day:
            known.key = begin(file, self.day, self.key)
        insert(file, self.costs)
        return known


@dataclass(frozen=True)
class Memory:
    """What a process knows of its spending: sums of earlier days and, of today, sums of each visitor and what is
    reserved, which is in none of the sums."""

    day: int
    key: bytes
    days: dict[int, int]
    visitors: Counter[bytes]
    reserved: dict[str, Cost]

    def restore(self, news: News, file: sqlite3.Connection) -> Ledger:
        """Writes all of it to a file that is new, and then the news."""
        create(file)
        key = begin(file, self.day, self.key)
        insert(file, {str(day): Cost(day, b"", micros) for day, micros in self.days.items()})
        sums = {visitor: micros for visitor, micros in self.visitors.items() if micros > 0}
        insert(file, {f"{self.day}/{visitor.hex()}": Cost(self.day, visitor, sums[visitor]) for visitor in sums})
        insert(file, self.reserved)
        return replace(news, key=key, begun=self.day).write(file)


def create(file: sqlite3.Connection) -> None:
    for statement in SCHEMA:
        file.execute(statement)


def insert(file: sqlite3.Connection, costs: dict[str, Cost]) -> None:
    rows = [(reply, cost.day, cost.visitor, cost.micros) for reply, cost in costs.items()]
    file.executemany("INSERT OR REPLACE INTO spending VALUES (?, ?, ?, ?)", rows)


def has_begun(file: sqlite3.Connection, day: int) -> bool:
    return file.execute("SELECT 1 FROM visitor_key WHERE day >= ?", (day,)).fetchone() is not None


def read(file: sqlite3.Connection, day: int) -> Ledger:
    days = file.execute("SELECT day, SUM(micros) FROM spending GROUP BY day")
    visitors = file.execute("SELECT visitor, SUM(micros) FROM spending WHERE day = ? GROUP BY visitor", (day,))
    return Ledger(day, days=Counter(dict(days)), visitors=Counter(dict(visitors)))


def begin(file: sqlite3.Connection, day: int, key: bytes) -> bytes:
    """Begins a day: of those before yesterday only the sums stay, and who was who on them is known no longer."""
    file.execute(FOLD, (day - 1,))
    file.execute("DELETE FROM spending WHERE day < ? AND reply <> CAST(day AS TEXT) OR day < ?", (day - 1, day - KEPT))
    file.execute("DELETE FROM visitor_key WHERE day <> ?", (day,))
    file.execute("INSERT OR IGNORE INTO visitor_key VALUES (?, ?)", (day, key))
    kept: bytes = file.execute("SELECT key FROM visitor_key").fetchone()[0]
    return kept


def micros(dollars: float) -> Decimal:
    """As the number is written: 0.1 is a tenth, not what a float makes of it."""
    return Decimal(str(dollars)) * MICROS
