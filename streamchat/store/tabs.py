"""Rows of browser tabs: each has its own state, or is a copy of another tab."""

import json
from dataclasses import dataclass
from typing import Any

from streamchat.store import conversations, files, logs
from streamchat.store.conversations import Card
from streamchat.store.logs import plain
from streamchat.store.schema import ROW
from streamchat.store.seams import Transaction
from streamchat.store.values import shortest_json

# of one tab's replies; logs of earlier ones are deleted
KEPT_LOGS = 500

State = dict[str, Any]

PUT = """
INSERT INTO tabs (id, state, at, owner, size, reply, root) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, at = excluded.at, owner = excluded.owner,
size = excluded.size, reply = excluded.reply, root = excluded.root
"""
TAKE_TAB = "UPDATE tabs SET at = ?, owner = ? WHERE id = ?"
TAKE_LOG = "UPDATE events SET owner = ? WHERE reply = (SELECT reply FROM tabs WHERE id = ?)"
STATE = """
SELECT state FROM tabs WHERE id = ? AND state IS NOT NULL AND NOT EXISTS
(SELECT 1 FROM conversations WHERE conversations.id = tabs.id AND deleted IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Put:
    """A tab to write: with its own state, or as a copy of the tab `root`. With a card it is a saved
    conversation."""

    visitor: str | None
    state: State | None
    root: str | None = None
    card: Card | None = None


def put(  # noqa: PLR0913 (a tab, its owner, and how many conversations there may be)
    transaction: Transaction,
    tab: str,
    put: Put,
    owner: bytes,
    now: float,
    *,
    most: int = conversations.MOST,
) -> int:
    """Writes a tab; returns the bytes that it takes."""
    if put.card and not conversations.put(transaction, plain(tab), put.card, owner, now, most=most):
        return 0
    if not put.card and conversations.has(transaction, plain(tab)):
        return 0
    text, reply, root = None, None, None
    if put.state is not None:
        text, reply = shortest_json(put.state), put.state.get("reply")
    elif put.root:
        root = plain(put.root)
        transaction.execute(TAKE_TAB, (now, owner, root))
        transaction.execute(TAKE_LOG, (owner, root))
    size = ROW + len((text or "").encode())
    transaction.execute(PUT, (plain(tab), text, now, owner, size, reply, root))
    if put.state is not None:
        logs.drop(transaction, put.state.get("replies", [])[:-KEPT_LOGS])
        files.attach(transaction, plain(tab), put.state, now)
    return size


def root(transaction: Transaction, tab: str) -> str | None:
    """The tab whose state this tab shows; None if it is unknown."""
    row = transaction.execute(
        "SELECT COALESCE(root, id) FROM tabs WHERE id = ?", (plain(tab),)
    ).fetchone()
    return row[0] if row else None


def state(transaction: Transaction, tab: str) -> State | None:
    """The tab's own state."""
    row = transaction.execute(STATE, (plain(tab),)).fetchone()
    found: State | None = json.loads(row[0]) if row else None
    return found
