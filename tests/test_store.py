import asyncio
import contextlib
import resource
import signal
import sqlite3
import stat
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.events import Done, Ending, Event, Failed, Notice, Text, Thinking
from streamchat.replies.reply import Reply
from streamchat.store.database import AGAIN, MAX_AGE, NAME, PRUNE_EVERY, WRITE_DELAY, Store
from streamchat.store.schema import ROW
from tests.hand import Clock, Hand, settle

ROOT = Path(__file__).parent.parent
SHUTDOWN = Done("shutdown")

# which does not even equal itself
st.register_type_strategy(float, st.floats(allow_nan=False))
values = st.dictionaries(st.text(), st.text() | st.integers() | st.from_type(float))
endings = st.from_type(Done) | st.builds(Failed, values=values)
others = [kind for kind in get_args(Event) if kind not in (Done, Failed, Notice)]
events = st.builds(Notice, values=values) | st.one_of(list(map(st.from_type, others)))


@asynccontextmanager
async def opened(
    folder: Path | str, now: list[float] | None = None, *, patience: float = 0, **bounds: int
) -> AsyncIterator[Store]:
    """A store with these bounds, by a clock that shows the last of `now`. It waits for no other
    process, unless it has `patience`."""
    clock = (lambda: now[-1]) if now else time.time
    store = Store(str(folder), clock=clock, patience=patience, **bounds)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def a_reply(*says: Event) -> tuple[Hand, Reply]:
    hand = Hand()
    reply = Reply(hand.write, linger=60)
    await say(hand, reply, *says)
    return hand, reply


async def say(hand: Hand, reply: Reply, *says: Event) -> None:
    end = len(reply.log) + len(says)
    hand.say(*says)
    async with aclosing(reply.follow(len(reply.log))) as news:
        while len(reply.log) < end:
            await anext(news)


async def logs(folder: Path, *replies: Reply) -> list[list[Event]]:
    """The logs of these replies that a newly started server finds."""
    async with opened(folder) as restarted:
        return [await restarted.log(reply.id) for reply in replies]


def rows(folder: Path) -> int:
    """How much is in the file."""
    with contextlib.closing(sqlite3.connect(folder / NAME)) as other:
        query = "SELECT (SELECT COUNT(*) FROM events) + (SELECT COUNT(*) FROM tabs)"
        return int(other.execute(query).fetchone()[0])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# a disk takes its time
@given(pieces=st.lists(st.lists(events, max_size=4), max_size=4), ending=endings)
async def test_a_log_is_read_back_as_it_was_written(
    pieces: Sequence[list[Event]], ending: Ending
) -> None:
    """A reply has the same log after a restart, in whatever pieces it was written to the file."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(folder) as store:
            hand, reply = await a_reply()
            store.follow(reply)
            for piece in pieces:
                await say(hand, reply, *piece)
                assert await store.flush()
            await say(hand, reply, ending)
            assert await store.flush()
            assert await store.log(reply.id) == reply.log
        assert await logs(Path(folder), reply) == [
            [event for piece in pieces for event in piece] + [ending]
        ]


async def test_a_reply_that_was_cut_off_ends_in_a_shutdown(tmp_path: Path) -> None:
    """A person who comes back after a crash reads what was written until then, and that the server
    was the reason."""
    async with opened(tmp_path) as store:
        _, reply = await a_reply(Thinking("hm"), Text("a"))
        store.follow(reply)
        await store.flush()
        assert await store.log(reply.id) == [Thinking("hm"), Text("a"), SHUTDOWN]
    assert await logs(tmp_path, reply) == [[Thinking("hm"), Text("a"), SHUTDOWN]]


async def test_a_reply_that_said_nothing_is_not_there(tmp_path: Path) -> None:
    """A reply without a word has no log, like an unknown one."""
    async with opened(tmp_path) as store:
        _, reply = await a_reply()
        store.follow(reply)
        await store.flush()
        assert await store.log(reply.id) == await store.log("guessed") == []


async def test_an_old_reply_is_found_only_by_those_who_look_for_it(tmp_path: Path) -> None:
    """A log last written to before the time one asks for is not given."""
    async with opened(tmp_path, [100.0]) as store:
        _, reply = await a_reply(Text("a"))
        store.follow(reply)
        await store.flush()
        assert await store.log(reply.id, since=100) == [Text("a"), SHUTDOWN]
        assert await store.log(reply.id, since=100.1) == []


async def test_a_log_without_its_beginning_is_not_given(tmp_path: Path) -> None:
    """A log with a gap is cut off at the gap, and one without its beginning is empty."""
    async with opened(tmp_path) as store:
        hand, reply = await a_reply()
        store.follow(reply)
        for word in "abc":
            await say(hand, reply, Text(word))
            await store.flush()
        await store.run(lambda file: file.execute("DELETE FROM events WHERE position = 1"))
        assert await store.log(reply.id) == [Text("a"), SHUTDOWN]
        await store.run(lambda file: file.execute("DELETE FROM events WHERE position = 0"))
        assert await store.log(reply.id) == []


async def test_a_tab_is_as_it_was_put_last(tmp_path: Path) -> None:
    """A tab comes back as it was last, whether that has reached the file or not, and after a
    restart."""
    async with opened(tmp_path) as store:
        assert await store.tab("one") is None
        store.put_tab("one", {"before": []})
        assert await store.tab("one") == {"before": []}
        await store.flush()
        assert await store.tab("one") == {"before": []}
        store.put_tab("one", {"before": ["ä\ud83d"]})
        store.put_tab("two", {})
        assert await store.tab("one") == {"before": ["ä\ud83d"]}
    async with opened(tmp_path) as restarted:
        assert await restarted.tab("one") == {"before": ["ä\ud83d"]}
        assert await restarted.tab("two") == {}
        assert await restarted.tab("three") is None


async def test_a_tab_with_an_odd_name_harms_nobody(tmp_path: Path) -> None:
    """A tab whose name is no valid text is kept, and so are the other tabs."""
    async with opened(tmp_path) as store:
        for name in ("\ud800", "\0", "ok"):
            store.put_tab(name, {"name": name})
        assert await store.log("\ud800") == []
    async with opened(tmp_path) as restarted:
        assert [await restarted.tab(name) for name in ("ok", "\ud800", "\0")] == [
            {"name": name} for name in ("ok", "\ud800", "\0")
        ]


async def test_the_file_lags_behind_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written at once, and nothing waits for longer than promised."""
    async with opened(tmp_path) as store:
        clock = Clock(monkeypatch)
        hand, reply = await a_reply(Text("a"))
        store.follow(reply)
        store.put_tab("one", {})
        await settle()
        await clock.advance(WRITE_DELAY / 2)
        assert rows(tmp_path) == 0
        await clock.advance(WRITE_DELAY / 2)
        await store.run(lambda _: None)
        assert rows(tmp_path) == 2
        await say(hand, reply, Text("b"))
        await settle()
        await clock.advance(WRITE_DELAY)
        await store.run(lambda _: None)
        assert await store.log(reply.id) == [Text("a"), Text("b"), SHUTDOWN]


async def test_closing_waits_for_nothing_and_writes_everything(tmp_path: Path) -> None:
    """Closing right after a word still writes it."""
    async with opened(tmp_path) as store:
        _, reply = await a_reply(Text("a"), Done("stopped"))
        store.follow(reply)
        store.put_tab("one", {"n": 1})
    assert await logs(tmp_path, reply) == [[Text("a"), Done("stopped")]]
    assert rows(tmp_path) == 2


async def test_closing_in_the_middle_of_writing_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing the store writes all that was waiting to be written."""
    go_on = threading.Event()
    async with opened(tmp_path) as store:
        clock = Clock(monkeypatch)
        slow = asyncio.create_task(store.run(lambda _: go_on.wait()))
        await settle()
        store.put_tab("one", {"n": 1})
        await clock.advance(0)
        await clock.advance(WRITE_DELAY)
        closing = asyncio.create_task(store.close())
        await settle()
        go_on.set()
        await asyncio.gather(slow, closing)
    async with opened(tmp_path) as restarted:
        assert await restarted.tab("one") == {"n": 1}


async def test_writing_at_once_writes_nothing_twice(tmp_path: Path) -> None:
    """However many ask for a flush while the reply goes on, its log is in the file once and in
    order."""
    async with opened(tmp_path) as store:
        hand, reply = await a_reply()
        store.follow(reply)
        flushing = []
        for number in range(100):
            await say(hand, reply, Text(str(number)))
            flushing.append(asyncio.create_task(store.flush()))
            await asyncio.sleep(0)
        assert all(await asyncio.gather(*flushing))
        assert await store.log(reply.id) == [*reply.log, SHUTDOWN]


@contextmanager
def in_the_way(folder: Path) -> Iterator[None]:
    """A file where the folder should be."""
    with contextlib.suppress(FileNotFoundError):
        folder.rename(folder.with_name("moved"))
    folder.write_text("in the way")
    yield
    folder.unlink()
    with contextlib.suppress(FileNotFoundError):
        folder.with_name("moved").rename(folder)


@contextmanager
def full(_: Path) -> Iterator[None]:
    """A disk on which no file can grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another program that keeps the file for itself."""
    with contextlib.closing(sqlite3.connect(folder / NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture(params=[in_the_way, full, locked], ids=lambda failure: failure.__name__)
def failing(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractContextManager[None]:
    """A disk that fails while the `with` block lasts."""
    failure: AbstractContextManager[None] = request.param(tmp_path / "data")
    return failure


async def test_a_failing_disk_costs_durability_only(
    tmp_path: Path, failing: AbstractContextManager[None], caplog: pytest.LogCaptureFixture
) -> None:
    """There is one warning, the chat goes on, and what was said meanwhile is written when the disk
    works again."""
    async with opened(tmp_path / "data") as store:
        hand, running = await a_reply(Text("a"))
        _, ended = await a_reply(Text("b"), Done("end_turn"))
        store.follow(running)
        with failing:
            store.follow(ended)
            store.put_tab("one", {"n": 1})
            for _ in range(3):
                assert not await store.flush()
                assert await store.run(lambda file: file.execute("DELETE FROM tabs")) is None
            assert await store.tab("one") == {"n": 1}
            await say(hand, running, Text("c"))
        assert ["will not survive" in record.getMessage() for record in caplog.records] == [True]
        assert await store.flush()
        assert await store.log(running.id) == [Text("a"), Text("c"), SHUTDOWN]
        assert await store.log(ended.id) == ended.log
    assert await logs(tmp_path / "data", running, ended) == [
        [Text("a"), Text("c"), SHUTDOWN],
        ended.log,
    ]


async def test_a_disk_that_works_again_is_noticed(
    tmp_path: Path, failing: AbstractContextManager[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data kept in memory is written once the disk works, without any new event."""
    async with opened(tmp_path / "data") as store:
        clock = Clock(monkeypatch)
        with failing:
            store.put_tab("one", {"n": 1})
            await clock.advance(0)
            await clock.advance(WRITE_DELAY)
            await store.run(lambda _: None)
            await settle()
        await clock.advance(AGAIN)
        await clock.advance(WRITE_DELAY)
        await store.run(lambda _: None)
        assert rows(tmp_path / "data") == 1


async def test_a_disk_that_never_works_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Of what waits for the disk the oldest is given up, but no reply that still runs."""
    with in_the_way(tmp_path / "data"):
        store = Store(str(tmp_path / "data"), max_waiting=2)
        _, running = await a_reply(Text("a"))
        store.follow(running)
        replies = [(await a_reply(Text(word), Done("end_turn")))[1] for word in "bcd"]
        for number, reply in enumerate(replies):
            store.follow(reply)
            store.put_tab(str(number), {})
        store.put_tab("0", {})
        assert not await store.flush()
    await store.close()
    assert [bool(log) for log in await logs(tmp_path / "data", running, *replies)] == [
        True,
        False,
        True,
        True,
    ]
    async with opened(tmp_path / "data") as restarted:
        assert [await restarted.tab(number) for number in "012"] == [{}, None, {}]


async def test_the_chat_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    """While another program has the file, everything goes on; if that is not for long, nothing even
    failed."""
    async with opened(tmp_path, patience=5) as store:
        store.put_tab("one", {})
        with locked(tmp_path):
            flushing = asyncio.create_task(store.flush())
            for _ in range(10):
                await settle()
            assert not flushing.done()
        assert await flushing


async def test_two_servers_with_one_folder_do_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Both keep what they hear, at the same time, and each finds what the other kept."""
    async with opened(tmp_path, patience=5) as one, opened(tmp_path, patience=5) as two:
        for number in range(20):
            one.put_tab(f"one {number}", {"n": number})
            two.put_tab(f"two {number}", {"n": number})
            assert all(await asyncio.gather(one.flush(), two.flush()))
        assert await one.tab("two 19") == await two.tab("one 19") == {"n": 19}
    assert rows(tmp_path) == 40
    assert not caplog.records


async def test_servers_that_start_at_once_do_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On a folder that does not exist yet, five servers begin one file together."""
    stores = [Store(str(tmp_path / "data")) for _ in range(5)]
    await asyncio.gather(*(store.open() for store in stores))
    for number, store in enumerate(stores):
        store.put_tab(str(number), {})
    await asyncio.gather(*(store.close() for store in stores))
    assert rows(tmp_path / "data") == 5
    assert not caplog.records


async def test_a_word_takes_little_more_than_its_letters(tmp_path: Path) -> None:
    """Of a reply that has ended a word takes its letters, two quotation marks and a comma; the
    reply takes one row."""
    words = ["Himmel ", "ist ", "blau, ", "天空", "😀"] * 100
    async with opened(tmp_path) as store:
        hand, reply = await a_reply()
        store.follow(reply)
        for number, word in enumerate(words):
            await say(hand, reply, Text(word))
            if number % 10 == 9:
                await store.flush()
        await say(hand, reply, Done("end_turn"))
        await store.flush()
        kept = await store.run(
            lambda file: file.execute("SELECT events, size FROM events").fetchall()
        )
        assert kept
        ((events, size),) = kept
        ending = len(events.encode()) - sum(len(word.encode()) + 3 for word in words)
        assert ending < 250
        assert size == ROW + len(events.encode())
        assert await store.log(reply.id) == reply.log


async def test_old_rows_are_dropped(tmp_path: Path) -> None:
    """A running server drops tabs and replies after thirty days, and keeps younger ones."""
    now = [0.0]
    async with opened(tmp_path, now) as store:
        replies = []
        for day in range(3):
            now.append(day * 86_400)
            _, reply = await a_reply(Text("a"), Done("end_turn"))
            replies.append(reply)
            store.follow(reply)
            store.put_tab(str(day), {})
            await store.flush()
        now.append(MAX_AGE + 86_400)
        store.put_tab("new", {})
        await store.flush()
        assert [bool(await store.log(reply.id)) for reply in replies] == [False, True, True]
        assert [await store.tab(str(day)) for day in range(3)] == [None, {}, {}]
        now.append(now[-1] + PRUNE_EVERY - 1)
        await store.flush()
        assert await store.tab("1") == {}


async def test_old_rows_are_dropped_at_the_start(tmp_path: Path) -> None:
    """A server that was away for a month drops old rows when it starts."""
    async with opened(tmp_path, [0.0]) as store:
        store.put_tab("one", {})
    async with opened(tmp_path, [MAX_AGE + 1]) as store:
        assert await store.tab("one") is None


async def test_the_file_stays_small(tmp_path: Path) -> None:
    """When it grows too large the oldest goes, the newest stays, and the disk gets its room
    back."""
    now = [0.0]
    async with opened(tmp_path, now, max_bytes=1_000_000) as store:
        for number in range(100):
            now.append(number * 60)
            store.put_tab(str(number), {"text": "x" * 50_000})
            await store.flush()
        kept = [number for number in range(100) if await store.tab(str(number))]
        assert kept == list(range(100 - len(kept), 100))
        assert 5 <= len(kept) <= 20
        assert (tmp_path / NAME).stat().st_size < 1_200_000
    assert files(tmp_path) == [NAME]


async def test_a_file_that_was_large_becomes_small(tmp_path: Path) -> None:
    """Neither what was dropped nor what was once written in a great hurry takes up room on the
    disk."""
    async with opened(tmp_path, [0.0]) as store:
        for number in range(200):
            store.put_tab(str(number), {"text": "x" * 50_000})
        for _ in range(3):
            store.put_tab("one", {})
            await store.flush()
        assert (tmp_path / f"{NAME}-wal").stat().st_size < 5_000_000
    assert (tmp_path / NAME).stat().st_size > 10_000_000
    async with opened(tmp_path, [60.0], max_bytes=1_000_000):
        pass
    assert (tmp_path / NAME).stat().st_size < 1_100_000


async def test_nothing_is_kept_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A person who sets an empty folder wants nothing to be kept, and is not warned that nothing
    is."""
    monkeypatch.chdir(tmp_path)
    async with opened("") as store:
        _, reply = await a_reply(Text("a"), Done("end_turn"))
        store.follow(reply)
        store.put_tab("one", {})
        await store.flush()
        assert (await store.log(reply.id), await store.tab("one")) == ([], None)
        assert await store.run(lambda _: True) is None
    assert files(tmp_path) == []
    assert not caplog.records


async def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """The folder and its files can be read only by the user who runs the chat."""
    async with opened(tmp_path / "deep" / "data") as store:
        store.put_tab("one", {})
        await store.flush()
        folder = tmp_path / "deep" / "data"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert NAME in files(folder)
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


KILLED = """
import asyncio, sys
from streamchat.events import Text
from streamchat.replies.reply import Reply
from streamchat.store.database import Store

async def words():
    for number in range(1000):
        yield Text(f"word{number} ")
    await asyncio.Event().wait()

async def main():
    store = Store(sys.argv[1])
    await store.open()
    reply = Reply(lambda _: words(), linger=60, reply_id="one")
    store.follow(reply)
    while len(reply.log) < 1000:
        await asyncio.sleep(0)
        await store.flush()
    print("flushed", flush=True)
    while True:
        store.put_tab("two", {"text": "x" * 100_000})
        await store.flush()

asyncio.run(main())
"""


@pytest.mark.process
async def test_a_kill_leaves_what_was_flushed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that is killed while it writes is found with every word up to the last flush when it
    starts again."""
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"flushed\n"
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    async with opened(tmp_path) as store:
        assert await store.log("one") == [
            *(Text(f"word{number} ") for number in range(1000)),
            SHUTDOWN,
        ]
        store.put_tab("three", {})
        assert await store.flush()
    assert not caplog.records


@pytest.mark.parametrize(
    "junk", [b"This is not a database. " * 500, b"SQLite format 3\0" + b"\xff" * 5_000]
)
async def test_a_file_that_cannot_be_read_is_put_aside(
    tmp_path: Path, junk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken file costs what was in it, and a warning that says where it is now; then a new one
    is begun."""
    (tmp_path / NAME).write_bytes(junk)
    async with opened(tmp_path) as store:
        store.put_tab("one", {})
        assert await store.flush()
        assert await store.tab("one") == {}
    assert (tmp_path / f"{NAME}.damaged").read_bytes() == junk
    assert [
        str(tmp_path / f"{NAME}.damaged") in record.getMessage() for record in caplog.records
    ] == [True]


async def test_a_file_that_breaks_later_is_put_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Damage that comes to light only in the middle of the work costs no more than damage at the
    start."""
    async with opened(tmp_path) as store:
        for number in range(50):
            store.put_tab(str(number), {"text": "x" * 1_000})
    with (tmp_path / NAME).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 100_000)
    async with opened(tmp_path) as store:
        for number in range(50):
            store.put_tab(str(number), {"n": number})
        assert await store.flush()
        assert [await store.tab(str(number)) for number in range(50)] == [
            {"n": number} for number in range(50)
        ]
    assert len(caplog.records) == 1
    assert files(tmp_path) == [NAME, f"{NAME}.damaged"]


async def test_a_folder_that_is_deleted_is_begun_anew(tmp_path: Path) -> None:
    """One who deletes the folder of a running server has deleted what was in it, and from then on
    it is kept again."""
    async with opened(tmp_path / "data") as store:
        store.put_tab("old", {})
        await store.flush()
        (tmp_path / "data").rename(tmp_path / "gone")
        store.put_tab("new", {})
        assert await store.flush()
        assert [await store.tab(name) for name in ("old", "new")] == [None, {}]
    assert rows(tmp_path / "data") == 1
