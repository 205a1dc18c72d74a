"""The words of a search, as FTS5 takes them, and what stands around a match."""

import re

from streamchat.store.seams import Transaction

# characters by which one can be found
MAX_TEXT = 1_000_000
MAX_WORDS = 20
# characters; a shorter word is a whole one unless it is the last, for very many begin with a letter
MIN_BEGINNING = 3
# around a match in a snippet
BEGIN, END = "\x01", "\x02"
# characters of a snippet before and after its match
BEFORE, AFTER = 40, 80


def snippet(text: str, match: re.Pattern[str]) -> str | None:
    """The first match, marked, with the text around it on one line; None without a match."""
    if not (found := match.search(text)):
        return None
    start, end = max(found.start() - BEFORE, 0), found.end() + AFTER
    before, after = text[start : found.start()], text[found.end() : end]
    word = found[0][: 2 * AFTER]
    whole = f"{'…' * (start > 0)}{before}{BEGIN}{word}{END}{after}{'…' * (end < len(text))}"
    return re.sub(r"\s+", " ", whole)


def matching(query: str) -> str:
    """The words as a query for FTS5, without its syntax; empty without a word."""
    words = searched(query)
    last = len(words) - 1
    begins = [place == last or len(word) >= MIN_BEGINNING for place, word in enumerate(words)]
    return " ".join(f'"{word}"{"*" * begin}' for word, begin in zip(words, begins, strict=True))


def searched(query: str) -> list[str]:
    """The words that the query looks for."""
    return re.findall(r"\w+", query)[:MAX_WORDS]


def words_of(text: str) -> str:
    """The text in SQLite's form, without the characters that mark a match."""
    return re.sub(r"[\x00-\x08]", " ", text).encode(errors="replace").decode()


def merge(transaction: Transaction, pages: int) -> bool:
    """Goes on to merge the index into one piece, which has no word of a removed row; a negative
    number of pages begins that. Returns whether there is more to do.

    https://www.sqlite.org/fts5.html#the_merge_command
    """
    before = changes(transaction)
    transaction.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
    # the command itself counts as one
    return changes(transaction) - before > 1


def changes(transaction: Transaction) -> int:
    number: int = transaction.execute("SELECT total_changes()").fetchone()[0]
    return number
