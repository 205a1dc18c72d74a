"""Titles that the model gives to saved conversations, where their readers have given none."""

from streamchat.store.seams import Transaction
from streamchat.store.search import parted

UNNAMED = """
SELECT title FROM conversations WHERE reader = ? AND id = ? AND NOT named AND deleted IS NULL
"""
ENTITLE = "UPDATE conversations SET title = ? WHERE id = ?"
# a later write of the conversation keeps this title
ENTITLE_STATE = "UPDATE tabs SET state = json_set(state, '$.title', ?) WHERE id = ?"
ENTITLE_WORDS = """
UPDATE words SET title = ? WHERE rowid = (SELECT number FROM conversations WHERE id = ?)
"""


def is_unnamed(transaction: Transaction, *, reader: str, id_: str) -> bool:
    """Whether the conversation is the reader's, and the reader has not named it."""
    return transaction.execute(UNNAMED, (reader, id_)).fetchone() is not None


def entitle(transaction: Transaction, *, reader: str, id_: str, before: str, title: str) -> None:
    """Gives it the title in place of `before`, and changes nothing else. Does nothing where its
    reader has named or deleted it, or where it has another title."""
    if transaction.execute(UNNAMED, (reader, id_)).fetchone() == (before,):
        transaction.execute(ENTITLE, (title, id_))
        transaction.execute(ENTITLE_STATE, (title, id_))
        transaction.execute(ENTITLE_WORDS, (parted(title), id_))
