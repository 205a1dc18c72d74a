"""Whether the owner has paused the source; on disk, so that a restart does not undo it."""

import time
from functools import partial

from streamchat.errors import Paused
from streamchat.store import Store
from streamchat.store.pause import read, write


class Pause:
    """`since` is the time at which it began, or None while nothing is paused, as far as the disk
    could be read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = False
        self.since: float | None = None

    async def open(self) -> None:
        """Reads whether it is paused; where the disk fails, the next `check` does."""
        if not self._known and (found := await self._store.run(read)) and not self._known:
            self._known, (self.since,) = True, found

    async def turn(self, *, on: bool) -> None:
        self._known = True
        self.since = (self.since or time.time()) if on else None
        await self._store.run(partial(write, since=self.since))

    async def check(self) -> None:
        """Raises `Paused` if it is."""
        await self.open()
        if self.since is not None:
            raise Paused
