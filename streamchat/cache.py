"""Which replies can be read again: running ones always, ended ones for a while and within a bound on memory."""

import time
from collections.abc import Callable

from streamchat.errors import UnknownReply
from streamchat.events import Notice, Text, Thinking
from streamchat.reply import Reply

MAX_CHARACTERS = 50_000_000  # of ended replies; more drops the one that ended first
EVENT_CHARACTERS = 60  # what an event weighs beside its text


class Cache:
    """Replies by id. An ended one is forgotten `keep` seconds after its end, by `clock`."""

    def __init__(self, *, keep: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._running: dict[str, Reply] = {}
        self._ended: dict[str, tuple[Reply, float, int]] = {}  # in the order of their ends
        self._weight = 0

    @property
    def running(self) -> list[Reply]:
        return list(self._running.values())

    def add(self, reply: Reply) -> None:
        self._running[reply.id] = reply

    def ended(self, reply: Reply) -> None:
        """The reply, added before, has ended: from now on it is kept for a while only."""
        del self._running[reply.id]
        self._ended[reply.id] = reply, self._clock(), weight(reply)
        self._weight += weight(reply)
        self._drop_old()

    def get(self, reply_id: str) -> Reply:
        """The reply, or `UnknownReply`, whether it never was or is kept no longer."""
        self._drop_old()
        if reply := self._running.get(reply_id):
            return reply
        if kept := self._ended.get(reply_id):
            return kept[0]
        raise UnknownReply

    def _drop_old(self) -> None:
        while self._ended:
            oldest = next(iter(self._ended))
            _, ended_at, weighs = self._ended[oldest]
            if self._weight <= MAX_CHARACTERS and self._clock() < ended_at + self._keep:
                return
            del self._ended[oldest]
            self._weight -= weighs


def weight(reply: Reply) -> int:
    texts = (event.text for event in reply.log if isinstance(event, Text | Thinking | Notice))
    return len(reply.log) * EVENT_CHARACTERS + sum(map(len, texts))
