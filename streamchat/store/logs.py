"""Rows of what replies have said: each holds a part of a log, from a position on."""

import json
from dataclasses import asdict, dataclass
from typing import Any, get_args

from streamchat.events import Done, Event, Failed, Receipt, Text, Usage
from streamchat.replies import Reply
from streamchat.store.kept import restored, shortest_json
from streamchat.store.schema import ROW
from streamchat.store.seams import Transaction

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

# the fields of events that are values with fields of their own
PARTS: dict[str, type[Usage | Receipt]] = {"usage": Usage, "receipt": Receipt}

DROP_FROM = "DELETE FROM events WHERE reply = ? AND position >= ?"
PUT = "INSERT INTO events (reply, position, events, at, owner, size) VALUES (?, ?, ?, ?, ?, ?)"
READ = "SELECT position, events, at FROM events WHERE reply = ? ORDER BY position"


@dataclass(slots=True)
class Following:
    """A reply whose log is in the file up to that position."""

    reply: Reply
    visitor: str | None
    position: int = 0

    def news(self) -> "News":
        """The new events; of a log that has ended all of it, which then takes one row instead of
        many."""
        start = 0 if self.reply.ending else self.position
        return News(self, start, self.reply.log[start:])


@dataclass(frozen=True, slots=True)
class News:
    """Events of a log from that position to its present end."""

    log: Following
    start: int
    events: list[Event]


def put(transaction: Transaction, news: News, owner: bytes, now: float) -> int:
    """Writes what is new in a log; returns how many bytes it takes."""
    if not news.events:
        return 0
    text = shortest_json(list(map(encoded, news.events)))
    size = ROW + len(text.encode())
    transaction.execute(DROP_FROM, (news.log.reply.id, news.start))
    transaction.execute(PUT, (news.log.reply.id, news.start, text, now, owner, size))
    return size


def read(transaction: Transaction, reply: str, since: float) -> list[Event]:
    """The events of the log that are kept, from its beginning; none where it was last written to
    before `since`."""
    rows = transaction.execute(READ, (plain(reply),)).fetchall()
    log: list[Event] = []
    for position, events, _ in rows if rows and rows[-1][2] >= since else []:
        if position == len(log):
            log += map(decoded, json.loads(events))
    return log


def encoded(event: Event) -> Any:
    """A text, as nearly all events are, as a bare string; any other event by its kind and its
    fields."""
    return event.text if isinstance(event, Text) else [type(event).__name__, asdict(event)]


def decoded(kept: Any) -> Event:
    """The event; one of a kind that only a later release knows becomes an empty text, so that all
    keep their places.

    Earlier releases kept a text by its kind and its fields, too, and of a notice its sentence.
    """
    if isinstance(kept, str):
        return Text(kept)
    kind, values = kept
    if kind == "Notice" and "code" not in values:
        values = values | {"code": "as_written", "values": {"text": values.get("text", "")}}
    parts = {name: restored(part, values[name]) for name, part in PARTS.items() if values.get(name)}
    return restored(KINDS[kind], values | parts) if kind in KINDS else Text("")


def whole(log: list[Event]) -> list[Event]:
    """The log, which ends in "shutdown" if it was cut off; one that never began stays empty."""
    return log if not log or isinstance(log[-1], Done | Failed) else [*log, Done("shutdown")]


def plain(name: str) -> str:
    """An id as SQLite takes it: one that a browser sent may not be valid Unicode."""
    return name.encode(errors="backslashreplace").decode()
