"""The visitor who asks, and the sources that answer."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

from streamchat.errors import BadKey
from streamchat.events import Event, Request
from streamchat.money import Accounts
from streamchat.visitors import keys


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


def key_of(asker: Asker) -> str:
    """The key as Claude takes it; empty for an asker without one. Raises `BadKey`."""
    if not asker.key.strip():
        return ""
    try:
        key = keys.clean(asker.key)
    except ValueError:
        raise BadKey from None
    # as after quotation marks alone; without one the owner's would be used
    if not key:
        raise BadKey
    return key
