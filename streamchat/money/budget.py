"""The money that may be spent in a day (UTC), by all visitors and by each one."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from streamchat.errors import DayIsSpent, NotRecorded, Refused, TooDear, VisitorIsSpent
from streamchat.money.ledger import NOTHING, FileIsNew, Ledger, Memory, News
from streamchat.store import Store
from streamchat.store.spending import Cost
from streamchat.texts import text
from streamchat.visitors import Local

logger = logging.getLogger(__name__)

DAY = 86_400  # seconds
# per dollar; money is counted in whole millionths, so that no sum is rounded
MICROS = 1_000_000
# costs that wait for a disk that fails
MAX_WAITING = 10_000
# seconds of `Retry-After` while the disk fails
RETRY_AFTER = 30.0


class Budget:
    """The dollars of a day, and the part of them that one visitor may spend.

    A reserved sum counts as spent until it is settled. A reservation is on disk before it is given,
    so that no restart gives the same money out again; if the disk fails, it is refused. A file that
    is lost during a run is restored from memory. For a `Local` visitor `local` applies in place of
    `visitor`, if it is given.
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
        self.change(daily, visitor, local)
        self._ledger = Ledger(self._today())
        self._reserved: dict[str, Cost] = {}
        self._unwritten: dict[str, Cost] = {}
        # the last day that the file knows of
        self._begun = 0
        self._writing = asyncio.Lock()
        self._attempts = self._finished = 0
        self.is_recorded = True

    def change(self, daily: float, visitor: float | None, local: float | None = None) -> None:
        """Applies these sums from now on; what is spent and reserved stays."""
        self._daily = math.floor(micros(daily))
        self._share = self._daily if visitor is None else math.floor(micros(visitor))
        self._local_share = self._share if local is None else math.floor(micros(local))

    async def open(self) -> None:
        """Reads earlier spending from the store."""
        await self._write()

    async def reserve(self, reply: str, visitor: str | None, dollars: float) -> None:
        """Sets money aside. Without a visitor, no share applies. Raises `DayIsSpent`,
        `VisitorIsSpent`, or `NotRecorded` if the disk fails. Raises `TooDear` for more than a whole
        day's sum, unless that is 0.

        A further sum for the same reply is added to its reservation, and then all of it counts for
        today.
        """
        self._turn()
        if self._begun != self._ledger.day:
            await self._write()
            self._turn()
        before, wanted = self._reserved.get(reply, NOTHING), math.ceil(micros(dollars))
        cost = Cost(self._ledger.day, self._ledger.visitor(visitor), before.micros + wanted)
        if 0 < self._most(visitor) < wanted:
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
            logger.warning(
                "%s Costs are not on the disk; see the folder STREAMCHAT_DATA_DIR.",
                text("not_recorded"),
            )
        self.is_recorded = recorded
        if not recorded:
            raise NotRecorded(retry_after=RETRY_AFTER)

    async def settle(self, reply: str, dollars: float) -> None:
        """Replaces the reply's reservation by its cost. Idempotent: the first call counts."""
        if reserved := self._reserved.pop(reply, None):
            cost = replace(reserved, micros=math.ceil(micros(dollars)))
            self._ledger.change(reserved, cost)
            self._keep(reply, cost)
            await self._write()

    def spent(self, visitor: str | None = None) -> float:
        """Dollars spent today, by all or by a visitor."""
        self._turn()
        return self._spent(self._ledger.visitor(visitor)) / MICROS

    def share(self, visitor: str | None = None) -> float:
        """Dollars of a whole day, for all or for a visitor, spent or not."""
        return self._most(visitor) / MICROS

    def left(self, visitor: str | None = None) -> float:
        """Dollars left today, for all or for a visitor."""
        self._turn()
        left = self._daily - self._spent(b"")
        if visitor is not None:
            left = min(left, self._share_of(visitor) - self._spent(self._ledger.visitor(visitor)))
        return max(0, left) / MICROS

    def left_without_reserved(self, visitor: str) -> float:
        """Dollars left today for a visitor, if their running replies cost nothing."""
        left, name = self.left(visitor), self._ledger.visitor(visitor)
        mine = [cost.micros for cost in self._reserved.values() if cost.visitor == name]
        return left + sum(mine) / MICROS

    def reserved(self) -> float:
        """Dollars reserved today and not settled."""
        self._turn()
        return (
            sum(cost.micros for cost in self._reserved.values() if cost.day == self._ledger.day)
            / MICROS
        )

    def days(self, number: int) -> list[tuple[date, float]]:
        """Dollars of each of the last days; the last one is today."""
        self._turn()
        last = range(self._ledger.day - number + 1, self._ledger.day + 1)
        return [
            (date(1970, 1, 1) + timedelta(day), self._ledger.days[day] / MICROS) for day in last
        ]

    def _today(self) -> int:
        return int(self._clock() // DAY)

    def _turn(self) -> None:
        """Begins a new day after midnight, and forgets reservations from before yesterday, which
        stay spent."""
        if (today := self._today()) > self._ledger.day:
            self._ledger = Ledger(today, days=self._ledger.days)
            self._reserved = {
                reply: cost for reply, cost in self._reserved.items() if cost.day >= today - 1
            }

    def _most(self, visitor: str | None) -> int:
        return self._daily if visitor is None else min(self._daily, self._share_of(visitor))

    def _share_of(self, visitor: str | None) -> int:
        return self._local_share if isinstance(visitor, Local) else self._share

    def _spent(self, visitor: bytes) -> int:
        return self._ledger.visitors[visitor] if visitor else self._ledger.days[self._ledger.day]

    def _refusal(self, cost: Cost, share: int) -> Refused | None:
        """The error if the ledger would be over a limit with this cost, or None."""
        seconds = DAY - self._clock() % DAY
        if self._spent(b"") > self._daily:
            return DayIsSpent(retry_after=seconds)
        if cost.visitor and self._spent(cost.visitor) > share:
            return VisitorIsSpent(retry_after=seconds)
        return None

    def _take_back(self, reply: str, cost: Cost, micros: int) -> None:
        """Reduces a reservation whose request was cancelled, unless it was settled meanwhile."""
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
        """Brings the file up to date. Callers that arrive during a write share the next one."""
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
                    known = await self._store.run(partial(self._memory().restore, news=news))
                if known:
                    self._learn(known, costs)
            self._finished = attempt

    def _memory(self) -> Memory:
        """Everything to write into a new file."""
        open_costs = {**self._reserved, **self._unwritten}
        visitors = Counter(self._ledger.visitors)
        for cost in open_costs.values():
            if cost.day == self._ledger.day:
                visitors[cost.visitor] -= cost.micros
        days = {day: micros for day, micros in self._ledger.days.items() if day != self._ledger.day}
        return Memory(self._ledger.day, self._ledger.key, days, visitors, self._reserved.copy())

    def _learn(self, known: Ledger, written: dict[str, Cost]) -> None:
        """Adds the sums that only the file had, and drops the news that it has now."""
        self._begun = known.day
        self._ledger.days.update(known.days)
        if known.day == self._ledger.day:
            self._ledger.key = known.key
            self._ledger.visitors.update(known.visitors)
        for reply, cost in written.items():
            if self._unwritten.get(reply) is cost:
                del self._unwritten[reply]


def micros(dollars: float) -> Decimal:
    """Millionths of a dollar, from the number as it is written: 0.1 is exactly a tenth."""
    return Decimal(str(dollars)) * MICROS
