"""Rows of replies' logs: each has the events from a position on."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, get_args

from streamchat.events import Done, Event, Failed, FoundPage, Receipt, Text, Usage
from streamchat.replies import Reply
from streamchat.store.schema import ROW
from streamchat.store.seams import Transaction
from streamchat.store.values import restored, shortest_json

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

# the fields of events that are values with fields of their own
PARTS: dict[str, type[Usage | Receipt]] = {"usage": Usage, "receipt": Receipt}

DROP_FROM = "DELETE FROM events WHERE reply = ? AND position >= ?"
PUT = "INSERT INTO events (reply, position, events, at, owner, size) VALUES (?, ?, ?, ?, ?, ?)"
DROP = """
DELETE FROM events WHERE reply = ? AND NOT EXISTS (SELECT 1 FROM tabs WHERE tabs.reply = ?)
"""
READ = "SELECT position, events, at FROM events WHERE reply = ? ORDER BY position"


@dataclass(slots=True)
class Following:
    """A reply whose log is in the file up to `position`."""

    reply: Reply
    visitor: str | None
    position: int = 0

    def news(self) -> "News":
        """The new events. An ended log is written again as a whole, so that it takes one row
        instead of many."""
        start = 0 if self.reply.ending else self.position
        return News(self, start, self.reply.log[start:])


@dataclass(frozen=True, slots=True)
class News:
    """The events of a log from `start` to its present end."""

    log: Following
    start: int
    events: list[Event]


def put(transaction: Transaction, news: News, owner: bytes, now: float) -> int:
    """Writes the new events of a log; returns the bytes that they take."""
    if not news.events:
        return 0
    text = shortest_json(list(map(encoded, news.events)))
    size = ROW + len(text.encode())
    transaction.execute(DROP_FROM, (news.log.reply.id, news.start))
    transaction.execute(PUT, (news.log.reply.id, news.start, text, now, owner, size))
    return size


def drop(transaction: Transaction, replies: Iterable[str]) -> None:
    """Drops the logs of replies that no tab shows."""
    transaction.executemany(DROP, [(reply, reply) for reply in replies])


def read(transaction: Transaction, reply: str, since: float) -> list[Event]:
    """The stored events of the log from its beginning to its first gap; empty if it was last
    written to before `since`."""
    rows = transaction.execute(READ, (plain(reply),)).fetchall()
    log: list[Event] = []
    for position, events, _ in rows if rows and rows[-1][2] >= since else []:
        if position == len(log):
            log += map(decoded, json.loads(events))
    return log


def encoded(event: Event) -> Any:
    """A text event, the most frequent kind, as a bare string; any other event as its kind and its
    fields."""
    return event.text if isinstance(event, Text) else [type(event).__name__, asdict(event)]


def decoded(kept: Any) -> Event:
    """The event. A later release's kind becomes an empty text, which keeps all positions. Also
    reads earlier releases' texts, which were stored as kind and fields, and notices, which were
    stored as sentences."""
    if isinstance(kept, str):
        return Text(kept)
    kind, values = kept
    if kind == "Notice" and "code" not in values:
        values = values | {"code": "as_written", "values": {"text": values.get("text", "")}}
    parts: dict[str, Any] = {
        name: restored(part, values[name]) for name, part in PARTS.items() if values.get(name)
    }
    if kind == "Found":
        parts["sources"] = tuple(restored(FoundPage, page) for page in values.get("sources", ()))
    return restored(KINDS[kind], values | parts) if kind in KINDS else Text("")


def whole(log: list[Event]) -> list[Event]:
    """The log, ended by "shutdown" if it was cut off. An empty log stays empty."""
    return log if not log or isinstance(log[-1], Done | Failed) else [*log, Done("shutdown")]


def plain(name: str) -> str:
    """An id in a form that SQLite accepts: a browser's may not be valid Unicode."""
    return name.encode(errors="backslashreplace").decode()
