"""Rows of the settings that the owner has changed, by name, each as a text."""

from collections.abc import Mapping

from streamchat.store.seams import Transaction


def read(transaction: Transaction) -> dict[str, str]:
    return dict(transaction.execute("SELECT name, value FROM adjustments").fetchall())


def write(transaction: Transaction, changes: Mapping[str, str | None]) -> bool:
    """Writes the changes; None deletes a setting's row."""
    for name, value in changes.items():
        transaction.execute("DELETE FROM adjustments WHERE name = ?", (name,))
        if value is not None:
            transaction.execute("INSERT INTO adjustments VALUES (?, ?)", (name, value))
    return True
