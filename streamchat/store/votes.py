"""Rows of readers' votes, one for an answer, without the answer and without the reader."""

from dataclasses import dataclass

from streamchat.store.seams import Transaction

DAY = 86_400  # seconds
PUT = """
INSERT INTO votes (answer, at, up, words) VALUES (?, ?, ?, ?)
ON CONFLICT (answer) DO UPDATE SET at = excluded.at, up = excluded.up, words = excluded.words
"""
COUNTS = """
SELECT CAST(at / 86400 AS INTEGER), SUM(up), SUM(NOT up) FROM votes WHERE at >= ? GROUP BY 1
"""
WORDS = "SELECT at, up, words FROM votes WHERE words <> '' AND at >= ? ORDER BY at DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Vote:
    """A thumb up or down at that time, with the reader's words if they are asked for."""

    at: float
    up: bool
    words: str = ""


def put(
    transaction: Transaction, answer: bytes, vote: Vote | None, *, since: float, most: int
) -> bool:
    """Replaces the answer's vote; None removes it. Only the last `most` that are not older than
    `since` are kept."""
    if vote is None:
        transaction.execute("DELETE FROM votes WHERE answer = ?", (answer,))
    else:
        transaction.execute(PUT, (answer, vote.at, vote.up, vote.words))
    transaction.execute("DELETE FROM votes WHERE at < ?", (since,))
    transaction.execute(
        "DELETE FROM votes WHERE rowid <= (SELECT MAX(rowid) FROM votes) - ?", (most,)
    )
    return True


def counts(transaction: Transaction, *, since: float) -> dict[int, tuple[int, int]]:
    """Thumbs up and down by day since 1970 (UTC)."""
    rows = transaction.execute(COUNTS, (since,)).fetchall()
    return {day: (up, down) for day, up, down in rows}


def words(transaction: Transaction, *, since: float, most: int) -> list[Vote]:
    """The last votes with words, newest first."""
    rows = transaction.execute(WORDS, (since, most)).fetchall()
    return [Vote(at, bool(up), said) for at, up, said in rows]
