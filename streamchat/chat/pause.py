"""The owner's pause of the source; kept on disk, so that a restart does not end it."""

import time
from functools import partial

from streamchat.errors import Paused
from streamchat.store import Store
from streamchat.store.pause import read, write


class Pause:
    """`since` is the time at which the pause began, or None without a pause, as far as the disk
    could be read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = False
        self.since: float | None = None

    async def open(self) -> None:
        """Reads the pause; if the disk fails, the next `check` tries again."""
        if not self._known and (found := await self._store.run(read)) and not self._known:
            self._known, (self.since,) = True, found

    async def turn(self, *, on: bool) -> None:
        self._known = True
        self.since = (self.since or time.time()) if on else None
        await self._store.run(partial(write, since=self.since))

    async def check(self) -> None:
        """Raises `Paused` during a pause."""
        await self.open()
        if self.since is not None:
            raise Paused
