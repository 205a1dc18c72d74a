"""Rows of shared conversations: the link's token and its snapshot. They are in the conversation's
row, and are deleted with it."""

import re
from dataclasses import dataclass

from streamchat.store import files
from streamchat.store.seams import Transaction

HELD = "COALESCE(length(CAST(snapshot AS BLOB)), 0)"
# by which a deletion also withdraws the link
WITHDRAWN = f"size = size - {HELD}, shared = NULL, snapshot = NULL"
MINE = "WHERE id = ? AND reader = ? AND deleted IS NULL"
# no input
PUT = f"""
UPDATE conversations SET shared = COALESCE(shared, ?), snapshot = ?, size = size + ? - {HELD} {MINE}
"""  # noqa: S608
DROP = f"UPDATE conversations SET {WITHDRAWN} {MINE}"  # noqa: S608
OWNER = f"SELECT owner FROM conversations {MINE}"  # noqa: S608
TOKEN = f"SELECT shared FROM conversations {MINE}"  # noqa: S608
# unless it was shared anew meanwhile
REDRAW = f"""
UPDATE conversations SET snapshot = ?, size = size + ? - {HELD} WHERE shared = ? AND snapshot = ?
"""  # noqa: S608
LISTED = """
SELECT shared, substr(snapshot, 1, 2000) FROM conversations
WHERE shared IS NOT NULL AND deleted IS NULL ORDER BY number DESC LIMIT ?
"""
TOKENS = "SELECT shared FROM conversations WHERE shared IS NOT NULL AND deleted IS NULL"
END = f"UPDATE conversations SET {WITHDRAWN} WHERE shared = ?"  # noqa: S608
# in a snapshot's JSON, in whose strings no quotation mark stands without a backslash
AT = re.compile(r'(?<!\\)"at": (\d+)')
READER = "SELECT reader, snapshot FROM conversations WHERE shared = ? AND deleted IS NULL"
READ = "SELECT snapshot FROM conversations WHERE shared = ? AND deleted IS NULL"


@dataclass(frozen=True, slots=True)
class Share:
    """A snapshot for a link; `token` is used if the conversation has no link yet."""

    reader: str
    id: str
    token: str
    snapshot: str


def put(transaction: Transaction, share: Share) -> bytes | None:
    """Replaces the snapshot; returns the owner of its bytes, or None if the conversation is not the
    reader's."""
    mine = (share.id, share.reader)
    size = len(share.snapshot.encode())
    transaction.execute(PUT, (share.token, share.snapshot, size, *mine))
    row = transaction.execute(OWNER, mine).fetchone()
    return row[0] if row else None


def token(transaction: Transaction, reader: str, id_: str) -> str | None:
    """The token of the reader's shared conversation."""
    row = transaction.execute(TOKEN, (id_, reader)).fetchone()
    return row[0] if row else None


def drop(transaction: Transaction, *, reader: str, id_: str) -> bool:
    """Withdraws the link, if there is one. Returns false if the conversation is not the
    reader's."""
    transaction.execute(DROP, (id_, reader))
    return transaction.execute(OWNER, (id_, reader)).fetchone() is not None


def redraw(transaction: Transaction, *, token: str, before: str, now: str) -> None:
    """Replaces the snapshot behind a link, if it is still the one before."""
    transaction.execute(REDRAW, (now, len(now.encode()), token, before))


def listed(transaction: Transaction, *, most: int) -> list[tuple[str, float]]:
    """The tokens of the newest links of all readers, and the times of their snapshots."""
    found = transaction.execute(LISTED, (most,)).fetchall()
    return [(token, float(at[1]) if (at := AT.search(start)) else 0.0) for token, start in found]


def tokens(transaction: Transaction) -> list[str]:
    """The tokens of all links."""
    return [token for (token,) in transaction.execute(TOKENS).fetchall()]


def end(transaction: Transaction, *, token: str) -> None:
    """Withdraws the link, whosever it is."""
    transaction.execute(END, (token,))


def read(transaction: Transaction, *, token: str) -> str | None:
    """The snapshot behind the link with this token."""
    row = transaction.execute(READ, (token,)).fetchone()
    return row[0] if row else None


def picture(
    transaction: Transaction, *, token: str, digest: str
) -> tuple[files.Fields, str] | None:
    """The picture of the conversation behind the link, if its snapshot shows it and it is kept."""
    row = transaction.execute(READER, (token,)).fetchone()
    # in the JSON, which the snapshot's first lines are, and in whose strings quotes are escaped
    told = row[1].split("\n", 2)[:2] if row else []
    if not any(f'"id": "{digest}"' in line for line in told):
        return None
    return files.read(transaction, reader=row[0], digests=[digest]).get(digest)
