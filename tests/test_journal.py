import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from streamchat.chat.journal import DAY, HOUR, KEPT, Journal
from streamchat.events import Done, Ending, Event, Failed, Receipt, Text
from streamchat.replies.reply import Reply
from streamchat.store.database import NAME, Store
from streamchat.store.journal import Entry
from tests.hand import Hand, settle

NOON = 20_000.5 * DAY
WENT = Receipt("claude", "end_turn", 3, 2.0, 0.5, 40.0, 0.01, 0.0)
ENTRY = Entry(NOON, "claude", "end_turn", False, 3, 0.5, 40.0, 0.01)
ENDED, BROKEN = Done("end_turn"), Failed("broken_off", 502)


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened(folder: Path | str = "", clock: Clock | None = None) -> AsyncIterator[Journal]:
    store = Store(str(folder), patience=0)
    journal = Journal(store, clock=clock or Clock())
    await journal.open()
    yield journal
    await store.close()


async def a_reply(*events: Event, went: Receipt = WENT) -> tuple[Hand, Reply]:
    hand = Hand()
    hand.say(*events)
    reply = Reply(
        hand.write, linger=60, receipt=lambda _, ending: replace(went, reason=reason(ending))
    )
    await settle()
    return hand, reply


def reason(ending: Ending) -> str:
    return ending.reason if isinstance(ending, Done) else ending.code


async def noted(journal: Journal, *ends: Event) -> None:
    """Notes so many replies with that ending."""
    for end in ends:
        await journal.end((await a_reply(end))[1])


async def test_a_reply_is_listed_from_its_start_to_its_end() -> None:
    """Running replies are listed with their progress, under a name that does not open them."""
    async with opened() as journal:
        hand, reply = await a_reply(Text("Half an"))
        journal.begin(reply, "a visitor")
        ((name, running),) = journal.running.items()
        assert (running.visitor, running.receipt()) == (
            "a visitor",
            replace(WENT, reason="running"),
        )
        assert reply.id not in name
        hand.say(ENDED)
        await reply.closed()
        await settle()
        assert journal.running == {}


@pytest.mark.parametrize("kept", [True, False])
async def test_how_a_reply_went_is_known_afterwards(tmp_path: Path, kept: bool) -> None:
    """The last replies are listed with reason, times and cost, with and without a disk."""
    async with opened(tmp_path if kept else "") as journal:
        await noted(journal, ENDED, BROKEN)
        assert list(journal.entries) == [ENTRY, replace(ENTRY, reason="broken_off", failed=True)]


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """Entries from before a restart are there after it, in order."""
    clock = Clock()
    async with opened(tmp_path, clock) as journal:
        for clock.now in (NOON, NOON + 1, NOON + 2):
            await noted(journal, ENDED, BROKEN)
        before = list(journal.entries)
    async with opened(tmp_path, clock) as journal:
        assert list(journal.entries) == before


async def test_a_file_without_assumed_costs_is_read_and_written_on(tmp_path: Path) -> None:
    """In an earlier version's entries no cost counts as assumed."""
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as file, file:
        file.execute(
            "CREATE TABLE journal (at REAL, model TEXT, reason TEXT, failed INTEGER, words INTEGER,"
            " first_word REAL, speed REAL, cost REAL)"
        )
        file.execute(
            "INSERT INTO journal VALUES (?, 'claude', 'end_turn', 0, 3, 0.5, 40.0, 0.01)",
            (NOON - 1,),
        )
    async with opened(tmp_path) as journal:
        await noted(journal, ENDED)
    async with opened(tmp_path) as journal:
        assert list(journal.entries) == [replace(ENTRY, at=NOON - 1), ENTRY]


async def test_todays_assumed_cost_leaves_out_other_days_and_own_keys() -> None:
    """Yesterday's replies and replies on visitors' own keys are no part of today's assumed cost."""
    clock = Clock()
    async with opened("", clock) as journal:
        for clock.now, own_key in ((NOON - DAY, False), (NOON, False), (NOON, True)):
            _, reply = await a_reply(went=replace(WENT, assumed=0.004, own_key=own_key))
            reply.stop()
            await reply.closed()
            await journal.end(reply)
        assert journal.assumed_today() == 0.004


async def test_nothing_is_kept_for_longer_than_35_days(tmp_path: Path) -> None:
    """Older entries are deleted with the next write."""
    clock = Clock()
    async with opened(tmp_path, clock) as journal:
        await noted(journal, ENDED)
        clock.now += KEPT + 1
        await noted(journal, BROKEN)
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as file:
        assert file.execute("SELECT reason FROM journal").fetchall() == [("broken_off",)]


async def test_the_file_has_no_words_and_no_visitors(tmp_path: Path) -> None:
    """The file tells how replies went, but neither their text nor who asked."""
    async with opened(tmp_path) as journal:
        _, reply = await a_reply(Text("a secret"), ENDED)
        journal.begin(reply, "visitor-7")
        await journal.end(reply)
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as file:
        written = str(file.execute("SELECT * FROM journal").fetchall())
    assert "end_turn" in written
    assert not any(said in written for said in ("secret", "visitor-7", reply.id))


async def test_a_disk_that_fails_loses_nothing_that_it_takes_later(tmp_path: Path) -> None:
    """While another program locks the file entries wait in memory, and each is written once
    afterwards."""
    async with opened(tmp_path) as journal:
        with contextlib.closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await noted(journal, ENDED, BROKEN)
        await noted(journal, ENDED)
    async with opened(tmp_path) as journal:
        assert [entry.reason for entry in journal.entries] == ["end_turn", "broken_off", "end_turn"]


async def test_a_crowd_that_ends_at_once_is_written_once_each(tmp_path: Path) -> None:
    """Fifty replies that end together make fifty entries."""
    async with opened(tmp_path) as journal:
        replies = [(await a_reply(ENDED))[1] for _ in range(50)]
        await asyncio.gather(*map(journal.end, replies))
    async with opened(tmp_path) as journal:
        assert len(journal.entries) == 50


async def test_hours_and_days_have_their_sums_and_medians() -> None:
    """Each hour and day has the number of replies, of failures, the cost, and median times."""
    waits = (0.2, 9.0, 0.4)
    entries = [
        replace(ENTRY, at=NOON - 60 * n, first_word=waits[n], failed=n == 1) for n in range(3)
    ]
    entries += [replace(ENTRY, at=NOON - HOUR, first_word=None, speed=None)] * 2
    async with opened() as journal:
        *before, an_hour_ago, now = journal.spans(entries, HOUR, 24)
        assert (len(before), {span.replies for span in before}) == (22, {0})
        assert (now.at, now.replies, now.failed, now.first_word) == (NOON, 1, 0, 0.2)
        assert (an_hour_ago.replies, an_hour_ago.failed, an_hour_ago.first_word) == (4, 1, 4.7)
        today = journal.spans(entries, DAY, 30)[-1]
        assert (today.at, today.replies, today.first_word, today.speed) == (
            NOON - DAY / 2,
            5,
            0.4,
            40.0,
        )
        assert today.cost == pytest.approx(0.05)


async def test_an_hour_without_a_reply_has_no_times() -> None:
    """An hour without a measurement has a gap, not a zero."""
    async with opened() as journal:
        assert {(span.first_word, span.speed) for span in journal.spans([], HOUR, 24)} == {
            (None, None)
        }
