import asyncio
import contextlib
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.errors import DayIsSpent, NotRecorded, Refused, TooDear, VisitorIsSpent
from streamchat.money.budget import DAY, Budget
from streamchat.money.ledger import KEPT
from streamchat.store.database import NAME, Store
from streamchat.store.seams import Work
from streamchat.texts import worded
from tests.hand import settle

ROOT = Path(__file__).parent.parent
T = TypeVar("T")
NOON = 20_000.5 * DAY
TODAY = date(1970, 1, 1) + timedelta(20_000)


class Clock:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened(
    folder: Path | str = "",
    *,
    daily: float = 1,
    visitor: float | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Budget]:
    store = Store(str(folder), patience=0)
    budget = Budget(store, daily=daily, visitor=visitor, clock=clock or Clock())
    await budget.open()
    yield budget
    await store.close()


async def admitted(budget: Budget, dollars: float, names: list[str]) -> list[str]:
    """The visitors who get an answer when all of these ask at once."""

    async def ask(name: str) -> str | None:
        with contextlib.suppress(DayIsSpent, VisitorIsSpent, NotRecorded):
            await budget.reserve(f"reply to {name}", name, dollars)
            return name
        return None

    return [name for name in await asyncio.gather(*map(ask, names)) if name]


def visitors(number: int, kind: str = "visitor") -> list[str]:
    return [f"{kind} {n}" for n in range(number)]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The file belongs to another program for a while."""
    with contextlib.closing(sqlite3.connect(folder / NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("kept", [True, False])
async def test_no_crowd_overshoots_the_day(tmp_path: Path, kept: bool) -> None:
    """Two hundred people ask at once and there is money for ten: ten get an answer, with and
    without a disk."""
    async with opened(tmp_path if kept else "") as budget:
        assert len(await admitted(budget, 0.1, visitors(200))) == 10
        assert (budget.spent(), budget.left()) == (1, 0)


async def test_no_crowd_of_one_overshoots_a_share() -> None:
    """A visitor with two hundred tabs gets one visitor's share of the day; others get theirs."""
    async with opened(visitor=0.3) as budget:

        async def ask(number: int) -> bool:
            try:
                await budget.reserve(str(number), "greedy", 0.1)
            except VisitorIsSpent:
                return False
            return True

        assert sum(await asyncio.gather(*map(ask, range(200)))) == 3
        assert await admitted(budget, 0.1, ["modest"]) == ["modest"]
        assert (budget.spent("greedy"), budget.left("greedy")) == (0.3, 0)
        assert (budget.spent("modest"), budget.left("modest"), budget.left()) == (0.1, 0.2, 0.6)


@pytest.mark.parametrize("visitor", ["greedy", None])
async def test_a_reply_dearer_than_a_day_is_not_promised_for_tomorrow(visitor: str | None) -> None:
    """A reply that may cost more than a day's budget, or a whole share, is refused for that reason,
    without a time to come back."""
    async with opened(daily=1, visitor=0.3) as budget:
        with pytest.raises(TooDear) as refused:
            await budget.reserve("dear", visitor, 0.31 if visitor else 1.01)
        assert refused.value.retry_after is None
        await budget.reserve("cheap", visitor, 0.3 if visitor else 1)


@pytest.mark.parametrize(
    ("daily", "share", "refusal"), [(0, 0.3, DayIsSpent), (1, 0, VisitorIsSpent)]
)
async def test_a_budget_of_nothing_is_spent_and_not_too_small(
    daily: float, share: float, refusal: type[Refused]
) -> None:
    """With a budget of 0 the refusal says that the money is spent, so that the demo may answer."""
    async with opened(daily=daily, visitor=share) as budget:
        with pytest.raises(refusal):
            await budget.reserve("1", "a", 0.2)


async def test_reservations_are_a_part_of_what_is_spent() -> None:
    """The reservations of running replies count as spent until they are settled, and end with the
    day."""
    clock = Clock()
    async with opened(clock=clock) as budget:
        assert await admitted(budget, 0.3, ["anna", "eva"]) == ["anna", "eva"]
        assert (budget.spent(), budget.reserved()) == (0.6, 0.6)
        await budget.settle("reply to anna", 0.1)
        assert (budget.spent(), budget.reserved()) == (0.4, 0.3)
        clock.now += DAY
        assert budget.reserved() == 0


async def test_a_restart_hands_nothing_out_again(tmp_path: Path) -> None:
    """Reservations from before a restart that were never settled count as spent: of two crowds only
    ten visitors get answers."""
    async with opened(tmp_path) as budget:
        first = await admitted(budget, 0.1, visitors(6))
        async with opened(tmp_path) as restarted:
            assert restarted.spent() == 0.6
            assert len(first + await admitted(restarted, 0.1, visitors(200, "late visitor"))) == 10


async def test_a_share_holds_over_a_restart(tmp_path: Path) -> None:
    """A visitor whose share is spent is recognised after a restart on the same day."""
    async with opened(tmp_path, visitor=0.1) as budget:
        await budget.reserve("1", "greedy", 0.1)
    async with opened(tmp_path, visitor=0.1) as restarted:
        assert restarted.left("greedy") == 0
        with pytest.raises(VisitorIsSpent):
            await restarted.reserve("2", "greedy", 0.1)
        await restarted.reserve("3", "modest", 0.1)


async def test_a_settled_reply_stays_settled_after_a_restart(tmp_path: Path) -> None:
    """A reply that cost a tenth of its reservation leaves the rest to others, also after a
    restart."""
    async with opened(tmp_path) as budget:
        await budget.reserve("1", "a", 1)
        await budget.settle("1", 0.1)
    async with opened(tmp_path) as restarted:
        assert (restarted.spent(), restarted.spent("a"), restarted.left()) == (0.1, 0.1, 0.9)


KILLED = """
import asyncio, sys
from streamchat.money.budget import Budget
from streamchat.store.database import Store

async def main():
    budget = Budget(Store(sys.argv[1]), daily=1, visitor=None, clock=lambda: float(sys.argv[2]))
    await budget.open()
    await budget.reserve("1", "a", 0.25)
    await budget.reserve("2", "b", 0.5)
    await budget.settle("1", 0.125)
    print("reserved", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.process
async def test_a_kill_hands_nothing_out_again(tmp_path: Path) -> None:
    """A server that was killed between reserving and settling finds the money spent."""
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(NOON)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"reserved\n"
    process.kill()
    await process.wait()
    async with opened(tmp_path) as budget:
        assert (budget.spent(), budget.spent("a"), budget.spent("b")) == (0.625, 0.125, 0.5)


async def test_a_reservation_is_on_disk_before_it_is_given(tmp_path: Path) -> None:
    """Another reader of the file finds a reservation as soon as it is given, without a flush."""
    async with opened(tmp_path) as budget:
        await budget.reserve("1", "a", 0.5)
        with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as other:
            assert other.execute("SELECT reply, micros FROM spending").fetchall() == [
                ("1", 500_000)
            ]


async def test_a_refusal_costs_and_writes_nothing(tmp_path: Path) -> None:
    """A refused visitor pays nothing, and the file stays as it was."""
    async with opened(tmp_path, visitor=0) as budget:
        with pytest.raises(VisitorIsSpent):
            await budget.reserve("1", "a", 0.6)
        with pytest.raises(DayIsSpent):
            await budget.reserve("2", "a", 1.1)
        await budget.settle("1", 0.6)
        assert (budget.spent(), budget.spent("a")) == (0, 0)
        with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as other:
            assert other.execute("SELECT * FROM spending").fetchall() == []


async def test_settling_counts_once() -> None:
    """Settling is idempotent: the first report counts."""
    async with opened() as budget:
        await budget.reserve("1", "a", 0.5)
        await asyncio.gather(budget.settle("1", 0.2), budget.settle("1", 0.3))
        await budget.settle("1", 0.4)
        assert (budget.spent(), budget.spent("a")) == (0.2, 0.2)


async def test_settling_without_a_reservation_does_nothing(tmp_path: Path) -> None:
    """A reply that nobody paid for, such as one that is read again, changes nothing."""
    async with opened(tmp_path) as budget:
        await budget.settle("unknown", 0.5)
        assert budget.spent() == 0
    async with opened(tmp_path) as restarted:
        assert restarted.spent() == 0


async def test_a_cost_above_its_reservation_counts_in_full() -> None:
    """A reply that cost more than its reservation counts in full, and may use up the day."""
    async with opened() as budget:
        await budget.reserve("1", "a", 0.5)
        await budget.settle("1", 1.5)
        assert (budget.spent(), budget.left(), budget.left("a")) == (1.5, 0, 0)
        with pytest.raises(DayIsSpent):
            await budget.reserve("2", "b", 0)


async def test_a_second_call_for_a_reply_is_reserved_on_top(tmp_path: Path) -> None:
    """A reply that calls Claude twice reserves money for both calls, and is settled once."""
    async with opened(tmp_path, visitor=0.9) as budget:
        await budget.reserve("1", "a", 0.4)
        await budget.reserve("1", "a", 0.4)
        assert (budget.spent(), budget.spent("a")) == (0.8, 0.8)
        with pytest.raises(VisitorIsSpent):
            await budget.reserve("1", "a", 0.2)
        async with opened(tmp_path) as restarted:
            assert restarted.spent() == 0.8
        await budget.settle("1", 0.5)
        assert (budget.spent(), budget.spent("a")) == (0.5, 0.5)
        await budget.settle("1", 0.1)
        assert budget.spent() == 0.5


async def test_a_second_call_after_midnight_takes_the_reply_along(tmp_path: Path) -> None:
    """A reply that reserves more money on the next day counts for that day as a whole."""
    clock = Clock(20_001 * DAY - 1)
    async with opened(tmp_path, clock=clock) as budget:
        await budget.reserve("1", "a", 0.75)
        clock.now += 1
        await budget.reserve("2", "b", 0.25)
        with pytest.raises(DayIsSpent):
            await budget.reserve("1", "a", 0.25)
        await budget.settle("2", 0)
        await budget.reserve("1", "a", 0.25)
        assert [dollars for _, dollars in budget.days(2)] == [0, 1]
        await budget.settle("1", 0.5)
    async with opened(tmp_path, clock=clock) as restarted:
        assert [dollars for _, dollars in restarted.days(2)] == [0, 0.5]


async def test_giving_up_a_second_call_keeps_the_first(tmp_path: Path) -> None:
    """A reply that is stopped while it waits for money for another call is settled for the first
    one."""
    async with opened(tmp_path) as budget:
        await budget.reserve("1", "a", 0.5)
        reserving = asyncio.create_task(budget.reserve("1", "a", 0.5))
        await asyncio.sleep(0)
        reserving.cancel()
        await asyncio.wait({reserving})
        assert budget.spent() == 0.5
        await budget.settle("1", 0.25)
        assert budget.spent() == 0.25


async def test_a_cancelled_reservation_costs_nothing(tmp_path: Path) -> None:
    """A request that is cancelled while its reservation is being written gets its money back."""
    async with opened(tmp_path) as budget:
        await budget.reserve("0", "a", 0.25)
        reserving = asyncio.create_task(budget.reserve("1", "a", 0.5))
        await asyncio.sleep(0)
        assert budget.spent() == 0.75
        reserving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reserving
        await budget.settle("1", 0)
        assert budget.spent() == 0.25
        await budget.settle("0", 0.25)
    async with opened(tmp_path) as restarted:
        assert restarted.spent() == 0.25


async def test_a_cancelled_reservation_harms_no_other(tmp_path: Path) -> None:
    """A reservation that shares its write with a cancelled one is on disk when it is given."""
    async with opened(tmp_path) as budget:
        await budget.reserve("0", "a", 0.25)
        cancelled, other = (asyncio.create_task(budget.reserve(reply, "a", 0.25)) for reply in "12")
        await asyncio.sleep(0)
        cancelled.cancel()
        await other
        with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as file:
            assert ("2", 250_000) in file.execute("SELECT reply, micros FROM spending").fetchall()


async def test_a_cancelled_writer_harms_no_other(tmp_path: Path) -> None:
    """The same holds if the cancelled request was about to write both."""
    first, second = threading.Event(), threading.Event()
    store = Store(str(tmp_path), patience=0)
    budget = Budget(store, daily=1, visitor=None, clock=Clock())
    await budget.open()
    blocking = [asyncio.create_task(store.run(lambda _: first.wait()))]
    await settle()
    written = asyncio.create_task(budget.reserve("0", "a", 0.25))
    await settle()
    blocking.append(asyncio.create_task(store.run(lambda _: second.wait())))
    cancelled, other = (asyncio.create_task(budget.reserve(reply, "a", 0.25)) for reply in "12")
    await settle()
    first.set()
    await written
    await settle()
    cancelled.cancel()
    await settle()
    second.set()
    await asyncio.gather(other, *blocking)
    rows = await store.run(
        lambda file: file.execute("SELECT reply, micros FROM spending ORDER BY 1").fetchall()
    )
    assert rows == [("0", 250_000), ("1", 0), ("2", 250_000)]
    await store.close()


class CountingStore(Store):
    tries = 0

    async def run(self, work: Work[T]) -> T | None:
        self.tries += 1
        return await super().run(work)


@pytest.mark.parametrize("works", [True, False])
async def test_a_crowd_waits_for_the_disk_together(tmp_path: Path, works: bool) -> None:
    """Two hundred requests at once share a few writes to a slow or failing disk."""
    if not works:
        (tmp_path / "data").write_text("in the way")
    store = CountingStore(str(tmp_path / "data"))
    budget = Budget(store, daily=100, visitor=None, clock=Clock())
    assert len(await admitted(budget, 0.1, visitors(200))) == (200 if works else 0)
    assert store.tries < 5
    await store.close()


@pytest.mark.parametrize("hours", [0, 4.5, 19.2, 23, 23.99])
async def test_a_refusal_says_when_to_come_back(hours: float) -> None:
    """The sentence says when the budget renews; programs get the seconds."""
    clock = Clock(NOON - DAY / 2 + hours * 3600)
    async with opened(visitor=0.5, clock=clock) as budget:
        await budget.reserve("2", "a", 0.3)
        share = await refusal(budget, 0.3)
        await budget.reserve("3", "b", 0.5)
        day = await refusal(budget, 0.3)
    assert (day.code, day.status) == ("day_is_spent", 429)
    assert worded(day) == "Today's budget for this chat is used up. It renews at 00:00 UTC."
    assert (share.code, share.status) == ("visitor_is_spent", 429)
    assert worded(share) == "You have used today's free allowance. It renews at 00:00 UTC."
    assert day.retry_after == share.retry_after == pytest.approx((24 - hours) * 3600)


async def refusal(budget: Budget, dollars: float) -> Refused:
    with pytest.raises(Refused) as refused:
        await budget.reserve("1", "a", dollars)
    return refused.value


async def test_a_visitors_own_reservations_count_as_left() -> None:
    """A visitor's own reservations count as left, other visitors' do not; a share is never more
    than what is left of the day."""
    async with opened(daily=1, visitor=0.5) as budget:
        await budget.reserve("1", "a", 0.3)
        assert (budget.left("a"), budget.left_without_reserved("a")) == (0.2, 0.5)
        await budget.reserve("2", "b", 0.5)
        assert budget.left_without_reserved("a") == 0.5
        await budget.settle("1", 0.1)
        assert budget.left_without_reserved("a") == 0.4
        assert budget.left_without_reserved("c") == 0.4


@pytest.mark.parametrize("kept", [True, False])
async def test_at_midnight_in_utc_a_new_day_begins(tmp_path: Path, kept: bool) -> None:
    """The day's money is spent in its last second, and there is a new budget a second later."""
    clock = Clock(20_001 * DAY - 1)
    async with opened(tmp_path if kept else "", visitor=1, clock=clock) as budget:
        await budget.reserve("1", "a", 1)
        with pytest.raises(DayIsSpent):
            await budget.reserve("2", "a", 1)
        clock.now += 1
        assert (budget.spent(), budget.left(), budget.left("a")) == (0, 1, 1)
        await budget.reserve("2", "a", 1)
        assert budget.days(2) == [(TODAY, 1), (TODAY + timedelta(1), 1)]


async def test_yesterdays_reservation_counts_for_yesterday(tmp_path: Path) -> None:
    """A reply that runs over midnight counts for the day on which it was asked, also after a
    restart."""
    clock = Clock(20_001 * DAY - 1)
    async with opened(tmp_path, clock=clock) as budget:
        await budget.reserve("1", "a", 1)
        clock.now += 2
        await budget.reserve("2", "a", 0.5)
        await budget.settle("1", 0.25)
        expected = [(TODAY, 0.25), (TODAY + timedelta(1), 0.5)]
        assert (budget.days(2), budget.spent("a")) == (expected, 0.5)
    async with opened(tmp_path, clock=clock) as restarted:
        assert (restarted.days(2), restarted.spent("a")) == (expected, 0.5)


@pytest.mark.parametrize("restarts", [True, False])
async def test_days_are_kept_for_five_weeks(tmp_path: Path, restarts: bool) -> None:
    """The cost of each of the last 35 days is known; older days are deleted from the disk."""
    clock = Clock()
    budgets = contextlib.AsyncExitStack()
    async with budgets:
        budget = await budgets.enter_async_context(opened(tmp_path, daily=100, clock=clock))
        for day in range(40):
            clock.now = NOON + day * DAY
            if restarts:
                budget = await budgets.enter_async_context(opened(tmp_path, daily=100, clock=clock))
            for number in range(3):
                await budget.reserve(f"{day} {number}", "a", day)
                await budget.settle(f"{day} {number}", day / 2)
    async with opened(tmp_path, clock=clock) as budget:
        days = budget.days(KEPT + 1)
        assert [dollars for _, dollars in days] == [day * 1.5 for day in range(4, 40)]
        assert days[-1][0] == TODAY + timedelta(39)
        assert budget.days(40)[0] == (TODAY, 0)
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as file:
        assert file.execute("SELECT COUNT(*) FROM spending").fetchone() == (34 + 3 + 3,)


async def test_a_reply_that_is_never_settled_is_not_remembered_for_ever(tmp_path: Path) -> None:
    """An unsettled reservation stays spent on its day. Settling it days later changes nothing, in
    memory or on disk."""
    clock = Clock()
    async with opened(tmp_path, clock=clock) as budget:
        await budget.reserve("1", "a", 1)
        clock.now += 2 * DAY
        await budget.reserve("2", "a", 0.5)
        await budget.settle("1", 0.25)
        assert budget.days(3)[0] == (TODAY, 1)
    async with opened(tmp_path, clock=clock) as restarted:
        assert restarted.days(3) == [
            (TODAY, 1),
            (TODAY + timedelta(1), 0),
            (TODAY + timedelta(2), 0.5),
        ]


@given(daily=st.floats(0, 50), wanted=st.lists(st.floats(0, 1, exclude_min=True), max_size=60))
async def test_no_rounding_overshoots(daily: float, wanted: list[float]) -> None:
    """For any amounts, the sum of all that was reserved is at most the day's budget."""
    async with opened(daily=daily) as budget:
        given = []
        for number, dollars in enumerate(wanted):
            with contextlib.suppress(Refused):
                await budget.reserve(str(number), "a", dollars)
                given.append(dollars)
    assert sum(Decimal(str(dollars)) for dollars in given) <= Decimal(str(daily))


async def test_round_sums_come_out_even() -> None:
    """Ten times ten cents are a dollar, in spite of floats, and no amount is rounded down to
    nothing."""
    async with opened() as budget:
        for number in range(10):
            await budget.reserve(str(number), "a", 0.1)
        with pytest.raises(DayIsSpent):
            await budget.reserve("one more", "a", 1e-9)


async def test_a_visitor_who_is_not_known_has_no_share() -> None:
    """Without a visitor's name only the day's budget counts."""
    async with opened(visitor=0.1) as budget:
        await budget.reserve("1", None, 0.6)
        with pytest.raises(DayIsSpent):
            await budget.reserve("2", None, 0.6)


NAMES = ["203.0.113.77", "user:katharina", "2001:db8:77:77::/64", "half a character: \ud83d"]


async def test_visitors_names_are_not_in_the_file(tmp_path: Path) -> None:
    """The file does not say who was here, during a run or after it."""
    async with opened(tmp_path, visitor=1) as budget:
        for name in NAMES:
            await budget.reserve(f"reply {NAMES.index(name)}", name, 0.1)
        await budget.settle("reply 0", 0.1)
        while_running = contents(tmp_path)
    for held in (while_running, contents(tmp_path)):
        assert b"reply 0" in held
        assert not [name for name in NAMES if name.encode(errors="surrogatepass") in held]


async def test_visitors_are_not_recognised_on_the_next_day(tmp_path: Path) -> None:
    """A visitor has another mark on each day, and the key to yesterday's marks is deleted."""
    clock = Clock()
    async with opened(tmp_path, clock=clock) as budget:
        await budget.reserve("1", "a", 0.1)
        with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as other:
            (key,) = other.execute("SELECT key FROM visitor_key").fetchone()
        clock.now += DAY
        await budget.reserve("2", "a", 0.1)
    assert key not in contents(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as file:
        marks = file.execute("SELECT DISTINCT visitor FROM spending").fetchall()
        assert len(marks) == 2
        assert file.execute("SELECT COUNT(*) FROM visitor_key").fetchone() == (1,)


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_failing_disk_grants_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A reservation that cannot be written is refused and costs nothing; the log says why, once."""
    async with opened(tmp_path) as budget:
        await budget.reserve("before", "a", 0.5)
        with locked(tmp_path):
            assert await admitted(budget, 0.1, visitors(200)) == []
            assert not budget.is_recorded
            await budget.settle("before", 0.05)
        assert [
            record.getMessage()[:31]
            for record in caplog.records
            if record.name == "streamchat.money.budget"
        ] == ["This chat cannot record what an"]
        await budget.reserve("after", "a", 0.25)
        assert budget.is_recorded
        assert budget.spent() == pytest.approx(0.3)
    async with opened(tmp_path) as restarted:
        assert restarted.spent() == pytest.approx(0.3)


async def test_no_restart_on_a_full_disk_hands_money_out_again(tmp_path: Path) -> None:
    """With a full disk no money is spent, before or after a restart."""
    (tmp_path / "data").write_text("in the way")
    for _ in range(3):
        async with opened(tmp_path / "data") as budget:
            with pytest.raises(NotRecorded) as refused:
                await budget.reserve("1", "a", 0.04)
            assert refused.value.retry_after
            assert budget.spent() == 0


async def test_a_disk_that_failed_at_the_start_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier spending counts as soon as the file can be read."""
    async with opened(tmp_path) as budget:
        await budget.reserve("1", "a", 0.5)
    store = Store(str(tmp_path), patience=0)
    budget = Budget(store, daily=1, visitor=None, clock=Clock())
    with locked(tmp_path):
        await budget.open()
        with pytest.raises(NotRecorded):
            await budget.reserve("2", "a", 0.25)
    with pytest.raises(DayIsSpent):
        await budget.reserve("3", "a", 0.6)
    assert budget.spent() == 0.5
    await store.close()


def forget(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def damage(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"no database" * 1_000)


@pytest.mark.parametrize("lose", [forget, damage])
async def test_a_file_begun_anew_knows_what_the_process_knows(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    """A file that is deleted or damaged during a run is restored from memory, so that a restart
    finds the money spent."""
    yesterday, clock = Clock(NOON - DAY), Clock()
    async with opened(tmp_path, clock=yesterday) as earlier:
        await earlier.reserve("0", "a", 0.5)
        await earlier.settle("0", 0.125)
    async with opened(tmp_path, visitor=0.5, clock=clock) as budget:
        await budget.reserve("1", "a", 0.25)
        await budget.settle("1", 0.125)
        await budget.reserve("2", "b", 0.25)
        lose(tmp_path)
        await budget.reserve("3", "a", 0.25)
        await budget.settle("2", 0.0625)
    async with opened(tmp_path, visitor=0.5, clock=clock) as restarted:
        assert (restarted.spent("a"), restarted.spent("b"), restarted.spent()) == (
            0.375,
            0.0625,
            0.4375,
        )
        assert restarted.days(2)[0] == (TODAY - timedelta(1), 0.125)
        with pytest.raises(VisitorIsSpent):
            await restarted.reserve("4", "a", 0.25)


async def test_a_file_lost_twice_is_restored_twice(tmp_path: Path) -> None:
    """A file that was restored can be restored again, and nothing counts twice."""
    async with opened(tmp_path) as budget:
        for number in range(3):
            await budget.reserve(str(number), "a", 0.125)
            forget(tmp_path)
        await budget.settle("0", 0.0625)
        await budget.reserve("9", "a", 0.125)
    async with opened(tmp_path) as restarted:
        assert restarted.spent() == restarted.spent("a") == 0.4375


async def test_a_folder_of_no_name_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty folder name the budget lives in memory, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    async with opened() as budget:
        await budget.reserve("1", "a", 0.5)
        assert budget.days(1) == [(TODAY, 0.5)]
    assert contents(tmp_path) == b""
