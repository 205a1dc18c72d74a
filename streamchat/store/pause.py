"""The row with the time since which the owner has paused the source; absent without a pause."""

from streamchat.store.seams import Transaction


def read(transaction: Transaction) -> tuple[float | None]:
    """The time, in a tuple, so that "not paused" differs from None for a database that could not be
    read."""
    found: tuple[float | None] = transaction.execute("SELECT MAX(since) FROM pause").fetchone()
    return found


def write(transaction: Transaction, since: float | None) -> None:
    transaction.execute("DELETE FROM pause")
    if since is not None:
        transaction.execute("INSERT INTO pause (since) VALUES (?)", (since,))
