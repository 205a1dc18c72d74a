"""How replies went, for the owner: running ones and those that ended in the last 35 days. Never
their text."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

from streamchat.events import Done, Failed, Receipt, reason_for_owner
from streamchat.replies import Reply
from streamchat.store import Store
from streamchat.store.journal import ERRAND, Entry, read, write

HOUR, DAY = 3_600, 86_400  # seconds
KEPT = 35 * DAY
MAX_ENTRIES = 20_000
# entries that wait for a disk that fails
MAX_WAITING = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """The replies that ended in an hour or a day: their number, their cost with that of errands,
    their web searches, and medians."""

    at: int
    replies: int
    failed: int
    cost: float
    searches: int
    first_word: float | None
    speed: float | None


@dataclass(frozen=True)
class Running:
    """A running reply and its visitor."""

    reply: Reply
    visitor: str | None

    def receipt(self) -> Receipt | None:
        """The receipt so far."""
        return self.reply.receipt(Done("running", self.reply.usage))


class Journal:
    """`running` has a name for each reply. It is not the id, which would let its holder read
    along."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._unwritten: list[Entry] = []
        self._writing = asyncio.Lock()
        self.running: dict[str, Running] = {}
        self.entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)

    async def open(self) -> None:
        """Reads the kept entries."""
        reading = partial(read, since=self._clock() - KEPT, most=MAX_ENTRIES)
        self.entries.extend(await self._store.run(reading) or [])

    def begin(self, reply: Reply, visitor: str | None) -> None:
        """Lists a reply as running. `visitor` is shown as it is, and must be no address."""
        name = secrets.token_urlsafe(9)
        self.running[name] = Running(reply, visitor)
        reply.on_end(partial(self.running.__delitem__, name))

    async def end(self, reply: Reply, *, errand: str = "") -> None:
        """Writes an entry of a reply, which may be to an errand of that name. Entries that arrive
        during a write share the next one."""
        if not reply.ending or not reply.ending.receipt:
            return
        reason = f"{ERRAND}{errand}" if errand else reason_for_owner(reply.ending)
        went = replace(reply.ending.receipt, reason=reason)
        entry = entered(self._clock(), went, failed=isinstance(reply.ending, Failed))
        self.entries.append(entry)
        self._unwritten.append(entry)
        async with self._writing:
            entries, self._unwritten = self._unwritten, []
            if entries and not await self._write(entries):
                self._unwritten = [*entries, *self._unwritten][-MAX_WAITING:]

    async def _write(self, entries: list[Entry]) -> bool:
        writing = partial(write, entries=entries, since=entries[-1].at - KEPT, most=MAX_ENTRIES)
        return bool(await self._store.run(writing))

    def spans(self, entries: Iterable[Entry], seconds: int, number: int) -> list[Span]:
        """The last so many hours or days (UTC) of the entries; the last one is not over yet."""
        last = int(self._clock() // seconds)
        spans: dict[int, list[Entry]] = {span: [] for span in range(last - number + 1, last + 1)}
        for entry in entries:
            spans.get(int(entry.at // seconds), []).append(entry)
        return [spanned(span * seconds, inside) for span, inside in spans.items()]

    def assumed_today(self) -> float:
        """Dollars of today (UTC) that Claude did not count."""
        since = self._clock() // DAY * DAY
        return sum(entry.assumed for entry in self.entries if entry.at >= since)

    def last(self, seconds: float, entries: Iterable[Entry]) -> list[Entry]:
        """The entries of the last so many seconds."""
        since = self._clock() - seconds
        return [entry for entry in entries if entry.at > since]


def entered(at: float, how: Receipt, *, failed: bool) -> Entry:
    cost, assumed = (0.0, 0.0) if how.own_key else (how.cost, how.assumed)
    return Entry(
        at,
        how.model,
        how.reason,
        failed,
        how.words,
        how.first_word,
        how.tokens_per_second,
        cost,
        assumed,
        how.searches,
    )


def spanned(at: int, entries: list[Entry]) -> Span:
    answers = [entry for entry in entries if entry.is_answer]
    waits = [entry.first_word for entry in answers if entry.first_word is not None]
    speeds = [entry.speed for entry in answers if entry.speed is not None]
    return Span(
        at=at,
        replies=len(answers),
        failed=sum(entry.failed for entry in answers),
        cost=sum(entry.cost for entry in entries),
        searches=sum(entry.searches for entry in entries),
        first_word=median(waits) if waits else None,
        speed=median(speeds) if speeds else None,
    )
