"""The replies that can be read again: running ones always, ended ones for a while and within a
bound on memory."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from streamchat.errors import UnknownReply
from streamchat.events import Citation, Event, Found, Text, Thinking
from streamchat.replies.reply import Reply

MAX_CHARACTERS = 50_000_000  # of ended replies
# the weight of an event beside its text
EVENT_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    reply: Reply
    at: float
    weight: int
    visitor: str | None


class Cache:
    """Replies by id.

    An ended reply is forgotten `keep` seconds after its end, by `clock`. When all ended replies
    weigh more than `most` characters, the visitor whose replies weigh most loses the one that ended
    first.
    """

    def __init__(
        self,
        *,
        keep: float,
        most: int = MAX_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep = keep
        self._most = most
        self._clock = clock
        self._running: dict[str, tuple[Reply, str | None]] = {}
        # in the order of their ends
        self._ended: dict[str, Ended] = {}
        self._weights: Counter[str | None] = Counter()

    @property
    def running(self) -> list[Reply]:
        return [reply for reply, _ in self._running.values()]

    def add(self, reply: Reply, visitor: str | None = None) -> None:
        self._running[reply.id] = reply, visitor

    def ended(self, reply: Reply) -> None:
        """Notes that a reply has ended, and keeps it for a while only."""
        _, visitor = self._running.pop(reply.id)
        self._ended[reply.id] = Ended(reply, self._clock(), weight(reply), visitor)
        self._weights[visitor] += weight(reply)
        self._drop_old()

    def get(self, reply_id: str) -> Reply:
        """The reply. Raises `UnknownReply` for an unknown id, and for a reply that is no longer
        kept."""
        self._drop_old()
        if running := self._running.get(reply_id):
            return running[0]
        if kept := self._ended.get(reply_id):
            return kept.reply
        raise UnknownReply

    def _drop_old(self) -> None:
        now = self._clock()
        while self._ended and now >= (oldest := next(iter(self._ended.values()))).at + self._keep:
            self._drop(oldest)
        while self._weights.total() > self._most:
            visitor = self._weights.most_common(1)[0][0]
            self._drop(next(ended for ended in self._ended.values() if ended.visitor == visitor))

    def _drop(self, ended: Ended) -> None:
        del self._ended[ended.reply.id]
        self._weights[ended.visitor] -= ended.weight
        if not self._weights[ended.visitor]:
            del self._weights[ended.visitor]


def weight(reply: Reply) -> int:
    return len(reply.log) * EVENT_CHARACTERS + sum(map(_length, reply.log))


def _length(event: Event) -> int:
    match event:
        case Text() | Thinking():
            return len(event.text)
        case Found() | Citation():
            return event.length
    return 0
