"""The visitor who asks, and the sources that answer."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

from streamchat.events import Event, Request
from streamchat.money import Accounts


class Source(Protocol):
    """Answers a request. `stream` ends with exactly one `Done`, or raises a `ChatError`."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    def stream(self, request: Request) -> AsyncGenerator[Event]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """`main` answers, and the `accounts` pay for it; without accounts nothing costs money.

    `spare` answers where there is no money left for `main`, or it is paused. `own` answers visitors
    who bring a key. Only the `shared` questions are answered once for several visitors: from
    others, one could tell that somebody asked the same.
    """

    main: Source
    accounts: Accounts | None = None
    spare: Source | None = None
    own: Source | None = None
    shared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asker:
    """The limits are the `visitor`'s. A `person` gets a new answer when they ask the same again;
    without one, always.

    Who has a `key` of their own pays with it. Where there is no money left, `or_spare` takes the
    spare source's answer.
    """

    visitor: str | None = None
    person: str | None = None
    key: str = field(default="", repr=False)
    or_spare: bool = False
