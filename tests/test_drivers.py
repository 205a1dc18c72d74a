"""The contract of a database: each driver of the store passes these tests.

A driver is added by one line in `DRIVERS`, with a class that opens and disturbs its database.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from streamchat.store.schema import VERSION
from streamchat.store.seams import Away, Database, TooNew, Transaction, Work
from streamchat.store.sqlite import SQLite


class Driver(Protocol):
    """One database, which any number of handles open, as those of other processes do."""

    def __init__(self, folder: Path) -> None: ...

    def handle(self, *, patience: float) -> Database:
        """Another handle; it waits so many seconds for a busy database."""
        ...

    def busy(self) -> AbstractContextManager[None]:
        """The time in which another program writes."""
        ...

    def make_newer(self) -> None:
        """Gives the database the version of a later release."""

    def content(self) -> object:
        """Everything that the database holds, to be compared."""


class OneFile:
    """SQLite in one file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "data" / "some.sqlite3"

    def handle(self, *, patience: float) -> Database:
        return SQLite(self._path, patience)

    @contextmanager
    def busy(self) -> Iterator[None]:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    def make_newer(self) -> None:
        with closing(sqlite3.connect(self._path)) as other:
            other.execute(f"PRAGMA user_version = {VERSION + 1}")

    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self._path.parent.iterdir()}


DRIVERS: Sequence[type[Driver]] = (OneFile,)


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.__name__)
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Driver:
    made: Driver = request.param(tmp_path)
    return made


@asynccontextmanager
async def opened(driver: Driver, *, patience: float = 20) -> AsyncIterator[Database]:
    handle = driver.handle(patience=patience)
    await handle.open()
    try:
        yield handle
    finally:
        await handle.close()


@pytest.fixture
async def ours(driver: Driver) -> AsyncIterator[Database]:
    async with opened(driver) as handle:
        yield handle


@pytest.fixture
async def theirs(driver: Driver) -> AsyncIterator[Database]:
    """A second handle on the same database."""
    async with opened(driver) as handle:
        yield handle


PUT = "INSERT INTO tabs (id, state, at) VALUES (?, ?, ?)"


def put(id_: str, state: str = "{}") -> Work[None]:
    """Work that adds a row."""

    def work(transaction: Transaction) -> None:
        transaction.execute(PUT, (id_, state, 0))

    return work


def ids(transaction: Transaction) -> list[str]:
    rows = transaction.execute("SELECT id FROM tabs ORDER BY rowid").fetchall()
    return [row[0] for row in rows]


async def test_work_that_raises_changes_nothing(ours: Database, theirs: Database) -> None:
    """The caller gets the exception of the work, and neither handle sees a change."""

    def fails(transaction: Transaction) -> None:
        put("one")(transaction)
        raise LookupError("of the work")

    with pytest.raises(LookupError, match="of the work"):
        await ours.run(fails)
    assert await ours.run(ids) == await theirs.run(ids) == []


async def test_a_statement_that_fails_undoes_those_before_it(ours: Database) -> None:
    """The caller gets `Away`, and the next work succeeds."""

    def fails(transaction: Transaction) -> None:
        put("one")(transaction)
        transaction.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(Away):
        await ours.run(fails)
    await ours.run(put("two"))
    assert await ours.run(ids) == ["two"]


async def test_what_is_done_is_seen_by_others_at_once(ours: Database, theirs: Database) -> None:
    """A handle sees what another one has committed, and its own statements within its work."""
    assert await theirs.run(ids) == []
    assert await ours.run(lambda transaction: (put("one")(transaction), ids(transaction))[1]) == [
        "one"
    ]
    assert await theirs.run(ids) == ["one"]


async def test_works_of_a_handle_keep_their_order(ours: Database) -> None:
    """Works that are given at once run one after another."""
    names = [str(number) for number in range(50)]
    await asyncio.gather(*(ours.run(put(name)) for name in names))
    assert await ours.run(ids) == names


async def test_no_change_is_lost_between_handles(ours: Database, theirs: Database) -> None:
    """Work that reads a value and writes the next one counts every call of two handles."""

    def count(transaction: Transaction) -> None:
        (found,) = transaction.execute("SELECT state FROM tabs").fetchone()
        transaction.execute("UPDATE tabs SET state = ?", (str(int(found) + 1),))

    await ours.run(put("counter", "0"))
    await asyncio.gather(*(handle.run(count) for _ in range(50) for handle in (ours, theirs)))
    assert await ours.run(lambda work: work.execute("SELECT state FROM tabs").fetchone()) == (
        "100",
    )


async def test_values_come_back_as_they_were(ours: Database) -> None:
    """Text, numbers, bytes and None are stored through placeholders without a change."""
    values = ["'; DROP TABLE tabs; --", "天\n\t😀", 2**53 + 1, -0.5, b"\x00\xff", None]

    def work(transaction: Transaction) -> list[Any]:
        return [transaction.execute("SELECT ?", (value,)).fetchone()[0] for value in values]

    assert await ours.run(work) == values


async def test_many_rows_are_one_change(ours: Database) -> None:
    """A row that fails undoes the rows before it; an empty list is no error."""
    rows = [("one", "{}", 0), ("two", "{}", 0)]
    await ours.run(lambda transaction: transaction.executemany(PUT, []))
    with pytest.raises(Away):
        await ours.run(lambda transaction: transaction.executemany(PUT, [*rows, rows[0]]))
    assert await ours.run(ids) == []
    await ours.run(lambda transaction: transaction.executemany(PUT, rows))
    assert await ours.run(ids) == ["one", "two"]


async def test_rows_are_read_one_by_one_or_all_at_once(ours: Database) -> None:
    """Without a row, `fetchone` is None and `fetchall` is empty."""
    none = "SELECT id FROM tabs WHERE id = 'none'"
    assert await ours.run(lambda work: work.execute(none).fetchone()) is None
    assert await ours.run(lambda work: work.execute(none).fetchall()) == []


async def test_work_runs_off_the_event_loop(ours: Database) -> None:
    """The event loop goes on while a work waits."""
    go_on = threading.Event()
    running = asyncio.create_task(ours.run(lambda _: go_on.wait(20)))
    await asyncio.sleep(0)
    go_on.set()
    assert await running
    assert await ours.run(lambda _: threading.get_ident()) != threading.get_ident()


async def test_shrinking_keeps_the_work_so_far(ours: Database, theirs: Database) -> None:
    """`shrink` commits, so that a later failure undoes only what came after it."""

    def work(transaction: Transaction) -> None:
        put("one")(transaction)
        transaction.shrink()
        raise LookupError

    with pytest.raises(LookupError):
        await ours.run(work)
    assert await theirs.run(ids) == ["one"]


async def test_a_busy_database_is_away_after_the_patience(driver: Driver, ours: Database) -> None:
    """Work is given up when another program writes for too long, and succeeds afterwards."""
    await ours.run(put("one"))
    async with opened(driver, patience=0) as impatient:
        await impatient.run(ids)
        with driver.busy(), pytest.raises(Away):
            await impatient.run(put("two"))
        await impatient.run(put("three"))
        assert await impatient.run(ids) == ["one", "three"]


async def test_a_busy_database_is_waited_for(driver: Driver, ours: Database) -> None:
    """Work that has patience is done once the other program has finished."""
    await ours.run(put("one"))
    with driver.busy():
        waiting = asyncio.create_task(ours.run(put("two")))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    assert await ours.run(ids) == ["one", "two"]


async def test_data_outlives_its_handle(driver: Driver) -> None:
    """A new handle finds what an earlier one has written, and a closed one may be closed again."""
    async with opened(driver) as handle:
        await handle.run(put("one"))
        await handle.close()
    async with opened(driver) as handle:
        assert await handle.run(ids) == ["one"]


async def test_handles_that_begin_at_once_make_one_database(driver: Driver) -> None:
    """The tables are made once, and no handle fails."""
    handles = [driver.handle(patience=20) for _ in range(5)]
    await asyncio.gather(*(handle.open() for handle in handles))
    await asyncio.gather(*(handle.run(put(str(n))) for n, handle in enumerate(handles)))
    assert sorted(await handles[0].run(ids)) == list("01234")
    await asyncio.gather(*(handle.close() for handle in handles))


async def test_a_database_of_a_later_release_is_left_as_it_is(driver: Driver) -> None:
    """Neither `open` nor work touches it, and both raise `TooNew`."""
    async with opened(driver) as handle:
        await handle.run(put("one"))
    driver.make_newer()
    before = driver.content()
    handle = driver.handle(patience=0)
    with pytest.raises(TooNew):
        await handle.open()
    with pytest.raises(TooNew):
        await handle.run(put("two"))
    await handle.close()
    assert driver.content() == before
