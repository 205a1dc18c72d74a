"""The bytes that each visitor holds in the file, and the eviction of the oldest rows over a
bound."""

import hashlib

from streamchat.store import files
from streamchat.store.seams import Transaction

# the owner of rows without a visitor, and of rows that a release without owners wrote
NOBODY = b""
# the part of a bound that stays full after an eviction, so that not every write evicts
ROOM = 0.9

UNUSED = "NOT EXISTS (SELECT 1 FROM tabs WHERE tabs.reply = events.reply)"
# no input
OLDEST_LOG = f"SELECT reply FROM events WHERE owner = ? AND {UNUSED} ORDER BY at LIMIT 1"  # noqa: S608
OLDEST_TAB = "SELECT id, reply FROM tabs WHERE owner = ? ORDER BY at LIMIT 1"
# no input
DROP_UNUSED = f"DELETE FROM events WHERE reply = ? AND owner = ? AND {UNUSED}"  # noqa: S608
OLD_LOGS = f"DELETE FROM events WHERE at < ? AND {UNUSED}"  # noqa: S608 (no input)


def owner(visitor: str | None, salt: bytes) -> bytes:
    """The salted hash of a visitor in the file."""
    if visitor is None:
        return NOBODY
    return hashlib.blake2b(
        visitor.encode(errors="surrogatepass"), key=salt, digest_size=16
    ).digest()


def drop_old(transaction: Transaction, before: float) -> None:
    transaction.execute("DELETE FROM tabs WHERE at < ?", (before,))
    transaction.execute(OLD_LOGS, (before,))
    transaction.execute("DELETE FROM holdings WHERE bytes <= 0")


def bound_owner(transaction: Transaction, owner: bytes, most: int) -> bool:
    """Evicts the oldest rows of an owner with more than `most` bytes. Returns whether the owner had
    more."""
    if owner == NOBODY or held(transaction, owner) <= most:
        return False
    while held(transaction, owner) > ROOM * most and drop_oldest(transaction, owner):
        pass
    return True


def bound_all(transaction: Transaction, most: int) -> bool:
    """Evicts the oldest rows of the largest owners if all rows are more than `most` bytes. Returns
    whether they were."""
    if total(transaction) <= most:
        return False
    while total(transaction) > ROOM * most and drop_oldest(transaction, largest(transaction)):
        pass
    return True


def drop_oldest(transaction: Transaction, owner: bytes) -> bool:
    """Drops the owner's oldest reply that no tab shows, or else their oldest tab with its reply and
    its files, or else their oldest file."""
    if log := transaction.execute(OLDEST_LOG, (owner,)).fetchone():
        transaction.execute("DELETE FROM events WHERE reply = ?", log)
    elif tab := transaction.execute(OLDEST_TAB, (owner,)).fetchone():
        name, reply = tab
        transaction.execute("DELETE FROM tabs WHERE id = ? OR root = ?", (name, name))
        transaction.execute(DROP_UNUSED, (reply, owner))
    else:
        return files.drop_oldest(transaction, owner)
    return True


def held(transaction: Transaction, owner: bytes) -> int:
    """Bytes of one owner."""
    row = transaction.execute("SELECT bytes FROM holdings WHERE owner = ?", (owner,)).fetchone()
    return row[0] if row else 0


def total(transaction: Transaction) -> int:
    """Bytes of all owners."""
    return int(transaction.execute("SELECT TOTAL(bytes) FROM holdings").fetchone()[0])


def largest(transaction: Transaction) -> bytes:
    """The owner of the most bytes."""
    row = transaction.execute("SELECT owner FROM holdings ORDER BY bytes DESC LIMIT 1").fetchone()
    return row[0] if row else NOBODY
