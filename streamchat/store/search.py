"""The words of a search, as FTS5 takes them, and the text around a match. FTS5 finds words by their
beginnings. Chinese, Japanese, Thai, Lao, Burmese and Khmer have no spaces between words: there each
letter is indexed as a word, and a search looks for consecutive letters. A trigram index would find
these, too, but takes several times the space and time for all other languages."""

import re

from streamchat.store.seams import Transaction

# characters of a conversation that are indexed
MAX_TEXT = 1_000_000
MAX_WORDS = 20
# characters; a shorter word is a whole one unless it is the last, for very many begin with a letter
MIN_BEGINNING = 3
# around a match in a snippet
BEGIN, END = "\x01", "\x02"
# characters of a snippet before and after its match, which a sidebar of forty shows
BEFORE, AFTER = 16, 80
# signs of Markdown, of which a snippet needs none
SIGNS = re.compile(r"\*\*|__|`+|^#+ |\|", re.MULTILINE)
# letters of scripts without spaces between words
LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
LETTER = re.compile(f"[{LETTERS}]")
RUN = re.compile(f"[{LETTERS}]+")
# stands around each of them in the index, and in no text
APART = "\x03"


def parted(text: str) -> str:
    """The text as it is indexed."""
    return RUN.sub(lambda run: f"{APART}{APART.join(run[0])}{APART}", text)


def joined(text: str) -> str:
    """The text that was indexed."""
    return text.replace(APART, "")


def matching(query: str) -> str:
    """The words as a query for FTS5, without its syntax; empty without a word."""
    words = searched(query)
    last = len(words) - 1
    begins = [place == last or len(word) >= MIN_BEGINNING for place, word in enumerate(words)]
    return " ".join(
        f'"{parted(word)}"{"*" * (begin and not LETTER.match(word[-1]))}'
        for word, begin in zip(words, begins, strict=True)
    )


def searched(query: str) -> list[str]:
    """The words that the query looks for."""
    found = re.findall(rf"[\w{LETTERS}]+", query)
    return [word for word in found if re.search(r"\w", word)][:MAX_WORDS]


def match_of(words: list[str]) -> re.Pattern[str]:
    """Finds the first of the words in a text, as the index does."""
    return re.compile("|".join(map(_pattern, words)), re.IGNORECASE)


def _pattern(word: str) -> str:
    before = "" if LETTER.match(word) else rf"(?<![^\W{LETTERS}])"
    after = "" if LETTER.match(word[-1]) else rf"[^\W{LETTERS}]*"
    return before + word + after


def snippet(text: str, match: re.Pattern[str]) -> str | None:
    """The first match, marked, with the text around it on one line; None without a match."""
    if not (found := match.search(text)):
        return None
    start, end = max(found.start() - BEFORE, 0), found.end() + AFTER
    around = text[start : found.start()], text[found.end() : end]
    before, after = (SIGNS.sub("", part) for part in around)
    word = found[0][: 2 * AFTER]
    whole = f"{'…' * (start > 0)}{before}{BEGIN}{word}{END}{after}{'…' * (end < len(text))}"
    return re.sub(r"\s+", " ", whole)


def words_of(text: str) -> str:
    """The text in SQLite's form, without the characters that mark a match."""
    return re.sub(r"[\x00-\x08]", " ", text).encode(errors="replace").decode()


def index(transaction: Transaction, number: int, title: str, text: str) -> None:
    """Indexes the title and the text of the conversation with that number."""
    transaction.execute(
        "INSERT OR REPLACE INTO words (rowid, title, text) VALUES (?, ?, ?)",
        (number, parted(title), parted(text)),
    )


def index_anew(transaction: Transaction) -> None:
    """Indexes again what a release indexed that did not split text without spaces."""
    for (number,) in transaction.execute("SELECT rowid FROM words").fetchall():
        row = transaction.execute("SELECT title, text FROM words WHERE rowid = ?", (number,))
        title, text = map(joined, row.fetchone())
        if LETTER.search(title + text):
            index(transaction, number, title, text)


def merge(transaction: Transaction, pages: int) -> bool:
    """Continues to merge the index into one segment, which has no word of a removed row. A negative
    number of pages begins the merge. Returns whether there is more to do.

    https://www.sqlite.org/fts5.html#the_merge_command
    """
    before = changes(transaction)
    transaction.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
    # the command itself counts as one
    return changes(transaction) - before > 1


def changes(transaction: Transaction) -> int:
    number: int = transaction.execute("SELECT total_changes()").fetchone()[0]
    return number
