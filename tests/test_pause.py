import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from streamchat.chat.pause import Pause
from streamchat.errors import Paused
from streamchat.store.database import NAME, Store


@contextmanager
def taken(folder: Path, how: str) -> Iterator[None]:
    """Another program has the file meanwhile, for which nobody waits."""
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as other:
        other.execute(f"BEGIN {how}")
        yield


async def paused(folder: Path) -> Pause:
    """A pause that an earlier server has stored."""
    store, pause = await opened(folder)
    await pause.turn(on=True)
    await store.close()
    return pause


async def opened(folder: Path | str) -> tuple[Store, Pause]:
    store = Store(str(folder), patience=0)
    pause = Pause(store)
    await pause.open()
    return store, pause


async def test_nothing_is_paused_until_the_owner_says_so() -> None:
    """A new chat answers; during a pause it refuses, and after it answers again."""
    _, pause = await opened("")
    await pause.check()
    await pause.turn(on=True)
    with pytest.raises(Paused):
        await pause.check()
    await pause.turn(on=False)
    await pause.check()


@pytest.mark.parametrize("paused", [True, False])
async def test_a_restart_changes_nothing(tmp_path: Path, paused: bool) -> None:
    """A pause and its beginning survive a restart; so does its end."""
    store, pause = await opened(tmp_path)
    await pause.turn(on=True)
    if not paused:
        await pause.turn(on=False)
    await store.close()
    store, again = await opened(tmp_path)
    await store.close()
    assert (again.since, again.since is not None) == (pause.since, paused)


async def test_paused_twice_is_paused_since_the_first_time() -> None:
    """A second press does not change the pause's beginning."""
    _, pause = await opened("")
    await pause.turn(on=True)
    since = pause.since
    await pause.turn(on=True)
    assert pause.since == since


async def test_a_disk_that_fails_does_not_keep_the_owner_from_pausing(tmp_path: Path) -> None:
    """The switch holds at once, whatever the file does."""
    store, pause = await opened(tmp_path)
    with taken(tmp_path, "IMMEDIATE"):
        await pause.turn(on=True)
    with pytest.raises(Paused):
        await pause.check()
    await store.close()


async def test_a_pause_that_cannot_be_read_at_the_start_is_not_forgotten(tmp_path: Path) -> None:
    """The switch holds again as soon as the file is no longer another program's, and until then
    locks nobody out."""
    pause = await paused(tmp_path)
    with taken(tmp_path, "EXCLUSIVE"):
        store, again = await opened(tmp_path)
        await again.check()
    with pytest.raises(Paused):
        await again.check()
    await store.close()
    assert again.since == pause.since


async def test_the_owners_last_press_wins_over_the_disk(tmp_path: Path) -> None:
    """After the owner ends a pause on a failing disk, the old pause on the disk does not return."""
    await paused(tmp_path)
    with taken(tmp_path, "EXCLUSIVE"):
        store, again = await opened(tmp_path)
        await again.turn(on=False)
    await again.check()
    await store.close()
