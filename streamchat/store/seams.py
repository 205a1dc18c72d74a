"""The store's two protocols: a database, and the transaction that work on it gets."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Rows(Protocol):
    """The rows found by a statement."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Transaction(Protocol):
    """Takes effect as a whole or not at all. A `?` in a statement stands for a value."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> object: ...

    def shrink(self) -> None:
        """Ends the transaction, and returns the space of dropped rows to the disk."""


Work = Callable[[Transaction], T]


class Away(Exception):
    """The database cannot be reached, or cannot write."""


class TooNew(Away):
    """A later release has written the file `path`, and this release does not know its tables."""

    def __init__(self, path: Path) -> None:
        super().__init__("a later release has written it")
        self.path = path


class Database(Protocol):
    """The store's database."""

    async def open(self) -> None:
        """Raises `TooNew`, and leaves the database as it is, if this release cannot read it."""

    async def run(self, work: Work[T]) -> T:
        """The result of work in one transaction, off the event loop. Raises `Away`.

        The work sees no change of others while it runs. It is repeated if they have changed what
        it had read, so it must change nothing else.
        """
        ...

    async def close(self) -> None: ...
