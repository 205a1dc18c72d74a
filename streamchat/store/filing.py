"""Keeps a reader's file within the bounds of its visitor and of all."""

from streamchat.store import files, holdings, schema
from streamchat.store.files import Fields
from streamchat.store.seams import Transaction


def put(  # noqa: PLR0913 (a file, and all that bounds it)
    transaction: Transaction,
    *,
    reader: str,
    fields: Fields,
    data: str,
    visitor: str | None,
    bounds: tuple[int, int],
    now: float,
) -> bool:
    """Keeps the file, and drops the oldest rows over a bound."""
    owner = holdings.owner(visitor, schema.salt(transaction))
    files.put(transaction, reader=reader, fields=fields, data=data, owner=owner, now=now)
    of_visitor, of_all = bounds
    dropped = holdings.bound_owner(transaction, owner, of_visitor)
    if holdings.bound_all(transaction, of_all) or dropped:
        transaction.shrink()
    return True
