"""Readers' thumbs up and down, kept as long as the journal, and never with the answer's text."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from streamchat.store import Store
from streamchat.store.votes import Vote, counts, put, words

DAY = 86_400  # seconds
KEPT = 35 * DAY
MAX_VOTES = 20_000
# that the owner's page shows
LAST_WORDS = 50


@dataclass(frozen=True)
class DayOfVotes:
    """The thumbs of the day that begins at that time."""

    at: int
    up: int
    down: int


class Votes:
    """The votes of all readers; none without a disk. With `takes_words`, readers may add words."""

    def __init__(
        self,
        store: Store,
        *,
        takes_words: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._clock = clock
        self.takes_words = takes_words

    @property
    def are_kept(self) -> bool:
        return self._store.is_kept

    async def put(self, answer: bytes, up: bool | None, words: str = "") -> bool:
        """Replaces the answer's vote; None removes it. Returns false if the disk fails."""
        now = self._clock()
        vote = None if up is None else Vote(now, up, words)
        putting = partial(put, answer=answer, vote=vote, since=now - KEPT, most=MAX_VOTES)
        return bool(await self._store.run(putting))

    async def days(self, number: int) -> list[DayOfVotes]:
        """The last so many days (UTC); the last one is today."""
        today = int(self._clock() // DAY)
        first = today - number + 1
        found = await self._store.run(partial(counts, since=first * DAY)) or {}
        return [DayOfVotes(day * DAY, *found.get(day, (0, 0))) for day in range(first, today + 1)]

    async def words(self) -> list[Vote]:
        """The last votes with words, newest first; empty if words are not taken."""
        if not self.takes_words:
            return []
        since = self._clock() - KEPT
        return await self._store.run(partial(words, since=since, most=LAST_WORDS)) or []
