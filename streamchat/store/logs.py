"""Rows of what replies have said: each holds a part of a log, from a position on."""

import json
from dataclasses import asdict, dataclass
from typing import Any, get_args

from streamchat.events import Done, Event, Failed, Receipt, Text, Usage
from streamchat.replies import Reply
from streamchat.store.kept import restored
from streamchat.store.schema import ROW
from streamchat.store.seams import Transaction

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

# the fields of events that are values with fields of their own
PARTS: dict[str, type[Usage | Receipt]] = {"usage": Usage, "receipt": Receipt}

PUT = """
INSERT INTO events (reply, position, events, at, owner, size) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET events = excluded.events, at = excluded.at, owner = excluded.owner, size = excluded.size
"""
READ = "SELECT position, events, at FROM events WHERE reply = ? ORDER BY position"


@dataclass(slots=True)
class Following:
    """A reply whose log is in the file up to that position."""

    reply: Reply
    visitor: str | None
    position: int = 0


News = tuple[Following, list[Event]]


def put(transaction: Transaction, log: Following, events: list[Event], owner: bytes, now: float) -> int:
    """Writes what is new in a log; returns how many bytes it takes."""
    if not events:
        return 0
    text = json.dumps(list(map(encoded, events)))
    size = ROW + len(text)
    transaction.execute(PUT, (log.reply.id, log.position, text, now, owner, size))
    return size


def read(transaction: Transaction, reply: str, since: float) -> list[Event]:
    """What is kept of the log from its beginning; nothing where it was last written to before `since`."""
    rows = transaction.execute(READ, (plain(reply),)).fetchall()
    log: list[Event] = []
    for position, events, _ in rows if rows and rows[-1][2] >= since else []:
        if position == len(log):
            log += map(decoded, json.loads(events))
    return log


def encoded(event: Event) -> list[Any]:
    if isinstance(event, Text):  # nearly all of them
        return ["Text", {"text": event.text}]
    return [type(event).__name__, asdict(event)]


def decoded(kept: list[Any]) -> Event:
    """The event; one of a kind that only a later release knows becomes an empty text, so that all keep their places."""
    kind, values = kept
    parts = {name: restored(part, values[name]) for name, part in PARTS.items() if values.get(name)}
    return restored(KINDS[kind], values | parts) if kind in KINDS else Text("")


def whole(log: list[Event]) -> list[Event]:
    """The log, which ends in "shutdown" if it was cut off; one that never began stays empty."""
    return log if not log or isinstance(log[-1], Done | Failed) else [*log, Done("shutdown")]


def plain(name: str) -> str:
    """An id as SQLite takes it: one that a browser sent may not be valid Unicode."""
    return name.encode(errors="backslashreplace").decode()
