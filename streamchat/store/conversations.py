"""Rows of saved conversations: a title, the words to find it by, and its reader's hash.

The messages are the state of the tab with the same id. Without that row there is no conversation.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamchat.store import logs
from streamchat.store.schema import ROW
from streamchat.store.seams import Transaction
from streamchat.store.search import (
    MAX_TEXT,
    index,
    joined,
    match_of,
    matching,
    parted,
    searched,
    snippet,
    words_of,
)
from streamchat.store.shares import WITHDRAWN

# seconds in which a deleted conversation can be restored
UNDO = 900.0
# of one reader; beyond them the oldest goes
MOST = 1_000
# characters of all texts in which one search looks for its snippets
MAX_SEEN = 1_000_000

FOUND = "SELECT number, reader, deleted FROM conversations WHERE id = ?"
ADD = "INSERT INTO conversations (id, reader, title, at, owner, size) VALUES (?, ?, ?, ?, ?, ?)"
CHANGE = """
UPDATE conversations SET title = CASE WHEN named THEN title ELSE ? END, at = MAX(at, ?), owner = ?,
size = ? + COALESCE(length(CAST(snapshot AS BLOB)), 0), deleted = NULL WHERE number = ?
"""
TITLE = "SELECT title FROM conversations WHERE number = ?"
EMPTIED = "DELETE FROM conversations WHERE id = ? AND reader = ?"
TOO_MANY = """
SELECT id FROM conversations WHERE reader = ? AND deleted IS NULL
ORDER BY at DESC, number DESC LIMIT -1 OFFSET ?
"""
ITEM = "SELECT id, title, at, shared, NULL FROM conversations WHERE reader = ? AND deleted IS NULL"
BY_ID = " AND id = ?"
NEWEST_FIRST = " ORDER BY at DESC, number DESC"
# several may have been saved at one time
OLDER = """ AND (at, number) < (?, COALESCE(
(SELECT number FROM conversations WHERE id = ? AND reader = ?), 0))"""
LATEST = ITEM + OLDER + NEWEST_FIRST + " LIMIT ?"
# FTS5's own snippets take too long, and are made before the limit holds
MATCHING = f"""
SELECT id, title, at, shared, number FROM conversations
WHERE number IN (SELECT rowid FROM words WHERE words MATCH ?)
AND reader = ? AND deleted IS NULL {OLDER} {NEWEST_FIRST} LIMIT ?
"""  # noqa: S608 (no input)
START = "SELECT substr(text, 1, ?) FROM words WHERE rowid = ?"
RENAME = """
UPDATE conversations SET title = ?, named = 1 WHERE id = ? AND reader = ? AND deleted IS NULL
"""
RETITLE = "UPDATE words SET title = ? WHERE rowid = (SELECT number FROM conversations WHERE id = ?)"
# no input
DELETE = f"UPDATE conversations SET deleted = ?, {WITHDRAWN} WHERE reader = ? AND deleted IS NULL"  # noqa: S608
RESTORE = "UPDATE conversations SET deleted = NULL WHERE reader = ? AND deleted > ?"
OF_LAST = " AND deleted = (SELECT MAX(deleted) FROM conversations WHERE reader = ?)"
WITH_WORDS = """
SELECT number FROM conversations WHERE deleted <= ?
AND EXISTS (SELECT 1 FROM words WHERE words.rowid = conversations.number) LIMIT ?
"""
DELETED = """
SELECT conversations.id, tabs.reply, tabs.state FROM conversations LEFT JOIN tabs USING (id)
WHERE deleted <= ? ORDER BY deleted LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Card:
    """The title and the words of a conversation; `reader` is the hash of those who may read it.

    `at` is the time of its last word, where that is not now.
    """

    reader: str
    title: str
    text: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A conversation in a list; `snippet` has its match between `BEGIN` and `END`."""

    id: str
    title: str
    at: float
    token: str | None
    snippet: str | None


def has(transaction: Transaction, id_: str) -> bool:
    """Whether the conversation exists, deleted or not."""
    return transaction.execute(FOUND, (id_,)).fetchone() is not None


def put(  # noqa: PLR0913 (a conversation, its owner, and how many there may be)
    transaction: Transaction, id_: str, card: Card, owner: bytes, now: float, *, most: int = MOST
) -> bool:
    """Writes the conversation for its owner, and drops the oldest of a reader who has more than
    `most`. Returns false, and writes nothing, if the id is another reader's."""
    text = words_of(card.text)[:MAX_TEXT]
    size = ROW + 2 * len(text.encode())
    at = now if card.at is None else card.at
    found = transaction.execute(FOUND, (id_,)).fetchone()
    if not text:
        # all of it was taken back
        transaction.execute(EMPTIED, (id_, card.reader))
        return found is None or found[1] == card.reader
    if found is None:
        transaction.execute(ADD, (id_, card.reader, card.title, at, owner, size))
        found = transaction.execute(FOUND, (id_,)).fetchone()
        drop_oldest(transaction, card.reader, most)
    elif found[1] != card.reader:
        return False
    else:
        transaction.execute(CHANGE, (card.title, at, owner, size, found[0]))
    (title,) = transaction.execute(TITLE, found[:1]).fetchone()
    index(transaction, found[0], title, text)
    return True


def drop_oldest(transaction: Transaction, reader: str, most: int) -> None:
    """Drops the conversations that a reader has beyond so many."""
    transaction.executemany(
        "DELETE FROM tabs WHERE id = ?", transaction.execute(TOO_MANY, (reader, most)).fetchall()
    )


def items(  # noqa: PLR0913 (each narrows the list)
    transaction: Transaction, *, reader: str, query: str, before: float, last: str = "", most: int
) -> list[Item]:
    """The newest conversations before that time, or after `last` among those of that time. Each
    word of the query must begin a word of the text, or be anywhere in text without spaces between
    words."""
    older = (reader, before, last, reader, most)
    if not query.strip():
        rows = transaction.execute(LATEST, older).fetchall()
    elif not (match := matching(query)):
        rows = []
    else:
        rows = transaction.execute(MATCHING, (match, *older)).fetchall()
        return _with_snippets(transaction, rows, searched(query))
    return [Item(*row) for row in rows]


def _with_snippets(
    transaction: Transaction, rows: list[tuple[Any, ...]], words: list[str]
) -> list[Item]:
    """The items of rows that end with their numbers. The newest get snippets first, until the bound
    on characters is reached."""
    match = match_of(words)
    left, found = MAX_SEEN, []
    for id_, title, at, token, number in rows:
        text = transaction.execute(START, (left, number)).fetchone()[0] if left else ""
        left -= len(text)
        found.append(Item(id_, title, at, token, snippet(joined(text), match)))
    return found


def item(transaction: Transaction, *, reader: str, id_: str) -> Item | None:
    row = transaction.execute(ITEM + BY_ID, (reader, id_)).fetchone()
    return Item(*row) if row else None


def ids(transaction: Transaction, *, reader: str) -> list[str]:
    """The ids of all conversations, the newest first."""
    rows = transaction.execute(ITEM + NEWEST_FIRST, (reader,)).fetchall()
    return [row[0] for row in rows]


def rename(transaction: Transaction, *, reader: str, id_: str, title: str) -> Item | None:
    transaction.execute(RENAME, (title, id_, reader))
    if found := item(transaction, reader=reader, id_=id_):
        transaction.execute(RETITLE, (parted(found.title), id_))
    return found


def rename_all(transaction: Transaction, *, reader: str, titles: Mapping[str, str]) -> None:
    """Renames each conversation whose id has a title."""
    for id_, title in titles.items():
        rename(transaction, reader=reader, id_=id_, title=title)


def delete(transaction: Transaction, *, reader: str, id_: str, now: float) -> bool:
    """Marks the conversation as deleted; it can be restored for a while. Returns whether it
    existed."""
    found = item(transaction, reader=reader, id_=id_)
    transaction.execute(DELETE + BY_ID, (now, reader, id_))
    return found is not None


def delete_all(transaction: Transaction, *, reader: str, now: float) -> list[str]:
    found = ids(transaction, reader=reader)
    transaction.execute(DELETE, (now, reader))
    return found


def restore(
    transaction: Transaction, *, reader: str, id_: str, now: float, most: int = MOST
) -> Item | None:
    transaction.execute(RESTORE + BY_ID, (reader, now - UNDO, id_))
    drop_oldest(transaction, reader, most)
    return item(transaction, reader=reader, id_=id_)


def restore_last(transaction: Transaction, *, reader: str, now: float, most: int = MOST) -> int:
    """Restores everything that was deleted in the last deletion; returns how many more there are
    than before."""
    before = len(ids(transaction, reader=reader))
    transaction.execute(RESTORE + OF_LAST, (reader, now - UNDO, reader))
    drop_oldest(transaction, reader, most)
    return len(ids(transaction, reader=reader)) - before


def is_any_due(transaction: Transaction, *, before: float) -> bool:
    """Whether there are conversations that were deleted by then."""
    return bool(transaction.execute(DELETED, (before, 1)).fetchall())


def drop_words(transaction: Transaction, *, before: float, most: int) -> bool:
    """Drops the words of conversations that were deleted by then, no more than `most`; returns
    whether there were any."""
    gone = transaction.execute(WITH_WORDS, (before, most)).fetchall()
    transaction.executemany("DELETE FROM words WHERE rowid = ?", gone)
    return bool(gone)


def purge(transaction: Transaction, *, before: float, most: int) -> bool:
    """Drops the rest of conversations that were deleted by then, no more than `most`; returns
    whether there were any."""
    gone = transaction.execute(DELETED, (before, most)).fetchall()
    for id_, reply, state in gone:
        transaction.execute("DELETE FROM conversations WHERE id = ?", (id_,))
        transaction.execute("DELETE FROM tabs WHERE id = ? OR root = ?", (id_, id_))
        replies = {reply, *(json.loads(state).get("replies", []) if state else ())} - {None}
        logs.drop(transaction, replies)
    return bool(gone)
