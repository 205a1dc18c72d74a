"""Thumbs as they are counted for the owner."""

from pathlib import Path

from streamchat.chat.votes import DAY, Votes
from streamchat.store import Store


async def test_votes_are_counted_by_day(tmp_path: Path) -> None:
    """Each day (UTC) has its own, and those that are older than the journal are gone."""
    now = 40 * DAY + 1.0
    store = Store(str(tmp_path), clock=lambda: now)
    await store.open()
    given = Votes(store, clock=lambda: now)
    assert await given.put(b"one", up=True)
    now += DAY
    assert await given.put(b"two", up=False)
    assert await given.put(b"three", up=True)
    days = await given.days(3)
    assert [(day.at, day.up, day.down) for day in days] == [
        (39 * DAY, 0, 0),
        (40 * DAY, 1, 0),
        (41 * DAY, 1, 1),
    ]
    now += 35 * DAY
    assert await given.put(b"four", up=True)
    assert sum(day.up + day.down for day in await given.days(40)) == 3
    await store.close()
