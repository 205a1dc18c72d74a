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
    """`main` answers, and the `accounts` pay for it; without accounts answers cost nothing.

    `spare` answers if there is no money left for `main`, or it is paused. `own` answers visitors
    who bring a key. Only the `shared` questions are answered once for several visitors: a shared
    answer shows that somebody else asked the same.
    """

    main: Source
    accounts: Accounts | None = None
    spare: Source | None = None
    own: Source | None = None
    shared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asker:
    """The limits apply to the `visitor`. A `person` who asks the same again gets a new answer;
    without a `person` no answer is shared. A visitor with a `key` pays with it. With `or_spare` the
    spare source answers if there is no money left."""

    visitor: str | None = None
    person: str | None = None
    key: str = field(default="", repr=False)
    or_spare: bool = False
