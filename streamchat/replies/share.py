"""Sharing: one call to Claude for everyone who asks the same first question."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from streamchat.events import WHOLE, Done, Event
from streamchat.replies.reply import Reply, Wanted

# beyond this number the oldest is dropped
MAX_SHARES = 500


@dataclass
class Share:
    """A reply with several readers. The last one to leave before its end stops it."""

    reply: Reply
    # the persons who have read it
    people: set[str]
    until: float = field(default=float("inf"))  # by the clock
    readers: int = field(default=0, init=False)

    def join(self) -> "Reading":
        """Counts one more reader from now on, even before it reads."""
        self.readers += 1
        return Reading(self)


class Reading:
    """One reader of a shared reply, until it leaves."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._has_left = False

    async def events(self, wanted: Wanted) -> AsyncGenerator[Event]:
        """Yields the reply's events at the pace of its reader. Closing it leaves."""
        try:
            async with aclosing(self._share.reply.follow()) as news:
                async for _, events in news:
                    for event in events:
                        yield event
                    await wanted()
        finally:
            self.leave()
            if not self._share.readers:
                await self._share.reply.closed()

    def leave(self) -> None:
        """Idempotent. The last reader to leave stops the reply."""
        if self._has_left:
            return
        self._has_left = True
        self._share.readers -= 1
        if not self._share.readers:
            self._share.reply.stop()


class Shares:
    """The shared replies by their question: running ones, and for `keep` seconds those that ended
    normally."""

    def __init__(self, *, keep: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._shares: dict[bytes, Share] = {}
        self._locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    def lock(self, question: str) -> asyncio.Lock:
        """The lock to hold while looking for the question's reply and, if there is none, beginning
        it."""
        return self._locks.setdefault(_digest(question), asyncio.Lock())

    def find(self, question: str, person: str) -> Share | None:
        """A share in the question's reply. None if there is no such reply, or if the person has
        read it already."""
        self._drop_old()
        share = self._shares.get(_digest(question))
        if share is None or person in share.people or not _shareable(share.reply):
            return None
        share.people.add(person)
        return share

    def add(self, question: str, person: str, reply: Reply) -> Share:
        """Makes this reply, which the person asked for, the question's reply."""
        share = Share(reply, {person})
        self._shares.pop(_digest(question), None)
        self._shares[_digest(question)] = share
        reply.on_end(lambda: self._ended(share))
        self._drop_old()
        return share

    def _ended(self, share: Share) -> None:
        share.until = self._clock() + self._keep if _shareable(share.reply) else 0

    def _drop_old(self) -> None:
        now = self._clock()
        for question in [
            question for question, share in self._shares.items() if share.until <= now
        ]:
            del self._shares[question]
        while len(self._shares) > MAX_SHARES:
            del self._shares[next(iter(self._shares))]


def _shareable(reply: Reply) -> bool:
    if reply.ending is None:
        return not reply.stopping
    return isinstance(reply.ending, Done) and reply.ending.reason in WHOLE


def _digest(question: str) -> bytes:
    return hashlib.blake2b(question.encode(errors="surrogatepass"), digest_size=16).digest()
