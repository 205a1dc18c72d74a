"""Files of earlier and of later releases.

`tests/data/streamchat-0.sqlite3` and those after it were written by the releases whose
tables had these versions, and then vacuumed with a small page size.
"""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from streamchat.chat.asking import Chat
from streamchat.chat.journal import Journal
from streamchat.chat.parties import Sources
from streamchat.chat.pause import Pause
from streamchat.events import Done, Failed, Notice, Receipt, Text, Thinking, Usage
from streamchat.money.budget import Budget
from streamchat.store import NAME, Store, TooNew, journal
from streamchat.store.journal import Entry
from streamchat.store.schema import MIGRATIONS, VERSION
from streamchat.store.seams import Away, Transaction
from streamchat.store.sqlite import SQLite
from streamchat.ui.tabs import Tabs
from tests.application import Application
from tests.served import Source

DATA = Path(__file__).parent / "data"
NOW = 1_795_699_040.5
MODEL = "claude-opus-4-1"
USAGE = Usage(25, 42)
RECEIPT = Receipt(MODEL, "end_turn", 3, 2.0, 0.5, 40.0, 0.004, 0.0)
WORDS = [Thinking("Hm."), Text("It is "), Text("Rayleigh scattering."), USAGE]
BEFORE = ["Good morning", "Good morning!", "Why is the sky blue?"]


@dataclass
class Opened:
    """The parts of a chat that store data."""

    store: Store
    budget: Budget
    journal: Journal
    pause: Pause


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Opened]:
    store = Store(str(folder), clock=lambda: NOW)
    await store.open()
    budget = Budget(store, daily=5, visitor=1, clock=lambda: NOW)
    chat = Opened(store, budget, Journal(store, clock=lambda: NOW), Pause(store))
    await chat.journal.open()
    await chat.pause.open()
    await budget.open()
    try:
        yield chat
    finally:
        await store.close()


def texts(state: dict[str, object] | None) -> list[str]:
    messages = (state or {})["before"]
    assert isinstance(messages, list)
    return [message["content"][0]["text"] for message in messages]


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as file:
        return int(file.execute("PRAGMA user_version").fetchone()[0])


def set_version(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {number}")


async def test_a_file_of_version_0_is_read(tmp_path: Path) -> None:
    """Conversations, money, the journal and the pause of the first release are read."""
    shutil.copy(DATA / "streamchat-0.sqlite3", tmp_path / NAME)
    for _ in range(2):
        async with opened(tmp_path) as chat:
            assert await chat.store.log("a-reply-of-the-first-release") == [
                *WORDS,
                Done("end_turn", USAGE),
            ]
            assert texts(await chat.store.tab("another-tab")) == ['ä中😀 "quoted"\n']
            assert (chat.budget.spent(), chat.budget.spent("a visitor")) == (0.004, 0.004)
            assert list(chat.journal.entries) == [
                Entry(NOW, MODEL, "end_turn", False, 3, 0.5, 40.0, 0.004)
            ]
            assert chat.pause.since == NOW
    assert version(tmp_path / NAME) == VERSION


async def test_a_file_of_version_1_is_read(tmp_path: Path) -> None:
    """A file of version 1 is read, with a reply that was cut off and a copied tab."""
    shutil.copy(DATA / "streamchat-1.sqlite3", tmp_path / NAME)
    for _ in range(2):
        async with opened(tmp_path) as chat:
            log = chat.store.log
            assert await log("an-ended-reply") == [*WORDS, Done("end_turn", USAGE, RECEIPT)]
            assert await log("a-reply-cut-off") == [
                Notice("as_written", {"text": "Claude is busy. Trying again."}, passing=True),
                Text("Half "),
                Text("an answer – ä中😀"),
                Done("shutdown"),
            ]
            failure = Failed("busy", 503, 30.0, "req_1", USAGE, cause="overloaded")
            assert await log("a-failed-reply") == [failure]
            assert [await chat.store.root(tab) for tab in ("a-tab", "a-copy")] == ["a-tab"] * 2
            assert (
                texts(await chat.store.tab("a-tab"))
                == texts(await chat.store.tab("a-copy"))
                == BEFORE
            )
            assert [dollars for _, dollars in chat.budget.days(3)] == [0.125, 0, 0.504]
            assert [chat.budget.spent(name) for name in ("a visitor", "another visitor")] == [
                0.004,
                0.5,
            ]
            assert list(chat.journal.entries) == [
                Entry(NOW, MODEL, "end_turn", False, 3, 0.5, 40.0, 0.004, 0.001),
                Entry(NOW + 1, MODEL, "busy", True, 0, None, None, 0.0),
            ]
            assert chat.pause.since == NOW
    assert version(tmp_path / NAME) == VERSION


async def test_a_journal_of_version_7_has_no_searches(tmp_path: Path) -> None:
    """Entries from before searches were counted are read as without any, beside new ones."""
    shutil.copy(DATA / "streamchat-7.sqlite3", tmp_path / NAME)
    async with opened(tmp_path) as chat:
        before = list(chat.journal.entries)
        searched = Entry(NOW + 2, MODEL, "end_turn", False, 1, 1.0, 1.0, 1.0, 0.0, 2)
        await chat.store.run(partial(journal.write, entries=[searched], since=0, most=9))
    assert before
    assert not any(entry.searches for entry in before)
    async with opened(tmp_path) as chat:
        assert [entry.searches for entry in chat.journal.entries] == [0] * len(before) + [2]


@pytest.mark.parametrize("number", range(VERSION))
async def test_an_earlier_file_has_the_tables_of_a_new_one(tmp_path: Path, number: int) -> None:
    """After the migration tables, indexes and triggers equal those of a new file."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    shutil.copy(DATA / f"streamchat-{number}.sqlite3", old / NAME)
    for folder in (old, new):
        async with opened(folder):
            pass
    assert names(old / NAME) == names(new / NAME)


def names(path: Path) -> set[tuple[str, ...]]:
    """The names of all tables, indexes and triggers, and the tables' columns."""
    with closing(sqlite3.connect(path)) as file:
        found = set(file.execute("SELECT type, name FROM sqlite_schema").fetchall())
        for kind, name in list(found):
            if kind == "table":
                found |= set(
                    file.execute(
                        "SELECT ?, name, type FROM pragma_table_info(?)", (name, name)
                    ).fetchall()
                )
        return found


@pytest.mark.parametrize("number", range(VERSION))
async def test_a_migration_happens_as_a_whole_or_not_at_all(tmp_path: Path, number: int) -> None:
    """A failed migration leaves the file with its version, and the next start completes it."""
    shutil.copy(DATA / f"streamchat-{number}.sqlite3", tmp_path / NAME)

    def fails(transaction: Transaction) -> None:
        MIGRATIONS[number](transaction)
        raise sqlite3.OperationalError("disk I/O error")

    migrations = [*MIGRATIONS[:number], fails, *MIGRATIONS[number + 1 :]]
    database = SQLite(tmp_path / NAME, migrations=migrations)
    with pytest.raises(Away, match="disk I/O error"):
        await database.run(lambda _: True)
    await database.close()
    assert version(tmp_path / NAME) == number
    async with opened(tmp_path) as chat:
        assert chat.pause.since == NOW


@pytest.mark.parametrize("while_running", [True, False])
async def test_a_file_of_a_later_release_is_left_untouched(
    tmp_path: Path, while_running: bool
) -> None:
    """The start is refused, and no byte of the file or its log changes."""
    async with opened(tmp_path):
        set_version(tmp_path / NAME, VERSION + 1)
        before = contents(tmp_path)
        if while_running:
            await refused(tmp_path)
            assert contents(tmp_path) == before
    before = contents(tmp_path)
    await refused(tmp_path)
    assert contents(tmp_path) == before
    assert before.keys() == {NAME}


async def refused(folder: Path) -> None:
    store = Store(str(folder))
    with pytest.raises(TooNew) as refusal:
        await store.open()
    assert refusal.value.path == folder / NAME
    await store.close()


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of the file and of its log; the file beside them is a lock."""
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")
    }


async def test_a_later_file_that_is_met_later_is_left_untouched(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """If the file could not be read at the start, the chat goes on in memory and says why nothing
    is kept."""
    async with opened(tmp_path / "later"):
        pass
    later = tmp_path / "later" / NAME
    set_version(later, VERSION + 1)
    before = later.read_bytes()
    store = Store(str(later.parent))
    store.put_tab("one", {"n": 1})
    assert not await store.flush()
    assert await store.tab("one") == {"n": 1}
    await store.close()
    assert later.read_bytes() == before
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "Conversations will not survive a restart: a later release has written it"
    ]


@pytest.mark.process
def test_the_program_says_which_file_is_too_new(tmp_path: Path) -> None:
    """The program names the file and the remedy in one sentence, and exits with 2."""
    path = tmp_path / NAME
    set_version(path, VERSION + 1)
    before = path.read_bytes()
    with Application(STREAMCHAT_DATA_DIR=str(tmp_path)) as app:
        output = app.output()
        assert app.process.returncode == 2
    assert output.endswith(
        f"StreamChat cannot start: {path} was written by a later release of StreamChat; "
        "start that release, or choose another folder with STREAMCHAT_DATA_DIR.\n"
    )
    assert "Traceback" not in output
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (before, [NAME])


async def test_columns_of_a_later_release_are_ignored(tmp_path: Path) -> None:
    """Additional columns do no harm, and an empty value means the default."""
    shutil.copy(DATA / "streamchat-1.sqlite3", tmp_path / NAME)
    async with opened(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / NAME)) as file, file:
        for table in ("events", "tabs", "journal", "spending", "visitor_key", "pause"):
            file.execute(f"ALTER TABLE {table} ADD COLUMN added TEXT DEFAULT 'later'")
        file.execute("UPDATE journal SET words = NULL, cost = NULL WHERE failed")
    async with opened(tmp_path) as chat:
        assert chat.journal.entries[-1] == Entry(NOW + 1, MODEL, "busy", True, 0, None, None, 0.0)
        await chat.pause.turn(on=True)
        await chat.budget.reserve("one", "a visitor", 0.25)
        writing = partial(
            journal.write, entries=[Entry(NOW, MODEL, "end_turn", False, 1, 1.0, 1.0, 1.0)]
        )
        assert await chat.store.run(partial(writing, since=0, most=10))
        chat.store.put_tab("one", {})
        assert await chat.store.flush()
        assert (await chat.store.log("an-ended-reply"))[0] == Thinking("Hm.")


async def test_fields_of_a_later_release_are_ignored(tmp_path: Path) -> None:
    """An event with more or fewer fields is read; one of an unknown kind becomes an empty text."""
    kept = [
        ["Text", {"text": "It is ", "language": "en"}],
        ["Picture", {"url": "https://example.com"}],
        ["Notice", {}],
        ["Usage", {"input_tokens": 1, "later_tokens": 2}],
        [
            "Done",
            {
                "reason": "end_turn",
                "usage": {"later_tokens": 2},
                "receipt": {"model": "m", "later": 1},
            },
        ],
    ]
    receipt = Receipt("m", "", 0, 0.0, None, None, 0.0, 0.0)
    async with opened(tmp_path) as chat:
        row = ("one", 0, json.dumps(kept), NOW)
        put = "INSERT INTO events (reply, position, events, at) VALUES (?, ?, ?, ?)"
        await chat.store.run(lambda transaction: transaction.execute(put, row))
        assert await chat.store.log("one") == [
            Text("It is "),
            Text(""),
            Notice("as_written", {"text": ""}),
            Usage(1),
            Done("end_turn", Usage(), receipt),
        ]


async def test_a_tab_without_fields_is_read(tmp_path: Path) -> None:
    """A tab with hardly any stored field is shown with what there is."""
    async with opened(tmp_path) as chat:
        chat.store.put_tab("empty", {})
        chat.store.put_tab("later", {"before": [], "later": 1})
        tabs = Tabs(Chat(Sources(Source()), chat.store, linger=60, keep=60), chat.store)
        assert [(await tabs.get(tab)).messages() for tab in ("empty", "later")] == [[], []]
