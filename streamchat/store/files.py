"""Rows of files. A reader's file has one row, however many conversations have it."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from streamchat.store.schema import ROW
from streamchat.store.seams import Transaction

# seconds for which a file is kept that no conversation has, or has any more
UNUSED = 3_600.0
# of one reader, of those that no conversation has
MOST_UNUSED = 20

Fields = dict[str, Any]

PUT = """
INSERT INTO files (reader, digest, at, fields, data, owner, size) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (reader, digest) DO UPDATE SET at = excluded.at
"""
NO_TAB = """
NOT EXISTS (SELECT 1 FROM attached WHERE attached.reader = files.reader
AND attached.digest = files.digest)
"""
TOO_MANY = f"""
DELETE FROM files WHERE rowid IN (SELECT rowid FROM files WHERE reader = ? AND {NO_TAB}
ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ?)
"""  # noqa: S608 (no input)
OLD = f"DELETE FROM files WHERE at < ? AND {NO_TAB}"  # noqa: S608 (no input)
OLDEST = f"SELECT rowid FROM files WHERE owner = ? AND {NO_TAB} ORDER BY at LIMIT 1"  # noqa: S608
READ = "SELECT fields, data FROM files WHERE reader = ? AND digest = ?"
TOLD = "SELECT fields FROM files WHERE reader = ? AND digest = ?"
LEAVE = """
DELETE FROM attached WHERE tab = ? AND digest NOT IN (SELECT value FROM json_each(?))
"""
ATTACH = "INSERT OR IGNORE INTO attached (tab, reader, digest) VALUES (?, ?, ?)"
TOUCH = """
UPDATE files SET at = MAX(at, ?) WHERE reader = ? AND digest IN (SELECT value FROM json_each(?))
"""


def put(  # noqa: PLR0913 (a row)
    transaction: Transaction, *, reader: str, fields: Fields, data: str, owner: bytes, now: float
) -> None:
    """Keeps a file for its reader until a conversation has it, or for `UNUSED` seconds."""
    size = ROW + len(data.encode(errors="replace"))
    text = json.dumps(fields, ensure_ascii=False)
    digest = fields["digest"]
    transaction.execute(PUT, (reader, digest, now, text, data, owner, size))
    transaction.execute(TOO_MANY, (reader, MOST_UNUSED))


def read(
    transaction: Transaction, *, reader: str, digests: Iterable[str]
) -> dict[str, tuple[Fields, str]]:
    """The files of the reader among these, by digest: their fields and their data."""
    rows = {each: transaction.execute(READ, (reader, each)).fetchone() for each in set(digests)}
    return {digest: (json.loads(row[0]), row[1]) for digest, row in rows.items() if row}


def fields_of(
    transaction: Transaction, *, reader: str, digests: Iterable[str]
) -> dict[str, Fields]:
    """The fields of the reader's files among these, by digest, without their data."""
    rows = {each: transaction.execute(TOLD, (reader, each)).fetchone() for each in set(digests)}
    return {digest: json.loads(row[0]) for digest, row in rows.items() if row}


def attach(transaction: Transaction, tab: str, state: Mapping[str, Any], now: float) -> None:
    """Replaces the tab's files by these."""
    digests: Collection[str] = state.get("files", ())
    listed = json.dumps(list(digests))
    transaction.execute(LEAVE, (tab, listed))
    reader = state.get("reader", "")
    transaction.executemany(ATTACH, [(tab, reader, digest) for digest in digests])
    if digests:
        transaction.execute(TOUCH, (now, reader, listed))


def drop_unused(transaction: Transaction, before: float) -> None:
    """Drops files that no conversation has had since then."""
    transaction.execute(OLD, (before,))


def drop_oldest(transaction: Transaction, owner: bytes) -> bool:
    """Drops the owner's oldest file that no conversation has."""
    if row := transaction.execute(OLDEST, (owner,)).fetchone():
        transaction.execute("DELETE FROM files WHERE rowid = ?", row)
    return row is not None
