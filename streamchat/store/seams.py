"""The seams of the store: what a database does for it, and what work in a transaction may use."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Rows(Protocol):
    """The rows that a statement has found."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Transaction(Protocol):
    """All that is done in it takes effect, or nothing does. A `?` in a statement stands for a
    value."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> object: ...

    def shrink(self) -> None:
        """Ends the transaction, and gives the room of what was dropped back to the disk."""


Work = Callable[[Transaction], T]


class Away(Exception):
    """The database cannot be reached, or does not take what is to be written."""


class TooNew(Away):
    """A later release has written the file `path`, and this one does not know its tables."""

    def __init__(self, path: Path) -> None:
        super().__init__("a later release has written it")
        self.path = path


class Database(Protocol):
    """Where the rows are."""

    async def open(self) -> None:
        """Raises `TooNew` if this release cannot read the database, which then stays as it is."""

    async def run(self, work: Work[T]) -> T:
        """The result of work done in one transaction, off the event loop. Raises `Away`."""
        ...

    async def close(self) -> None: ...
