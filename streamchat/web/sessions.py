"""The sessions of Gradio's pages that one visitor holds, and their use of Gradio."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

# bytes of a session that has sent nothing yet
SESSION_BYTES = 10_000


class GradioSessions(Protocol):
    """Gradio's records of its sessions."""

    def is_open(self, session: str, event: str) -> bool:
        """Whether the event waits, runs, or has a result that was not fetched."""

    def close(self, session: str) -> None:
        """Drops the messages of a session without a stream and without waiting events."""

    def abandon(self, session: str) -> None:
        """Drops a session's unread messages."""

    def forget(self, session: str) -> None:
        """Drops everything that Gradio keeps for a session."""

    def tidy(self) -> None:
        """Drops Gradio's data without a session."""


@dataclass(frozen=True)
class Bounds:
    """The most of one visitor at once: events that wait, run or are unread, sessions, streams, and
    bytes sent to these sessions."""

    events: int = 12
    sessions: int = 100
    streams: int = 250
    size: int = 64_000_000


FEW = Bounds()
# the owner, and all visitors of a share link, whose tunnel hides their addresses
LOOPBACK = {"127.0.0.1", "::/64"}
MANY = Bounds(events=600, sessions=1_000, streams=2_500, size=512_000_000)
# that a page may wait for the same event, when one ends as the next begins
TWICE = 2


@dataclass
class Session:
    """`calls` counts the requests that Gradio works on; `events` has the event numbers by id. It
    `is_page` from its first stream on, which a page opens at once."""

    visitor: "Visitor"
    used: float = 0
    size: int = SESSION_BYTES
    calls: int = 0
    streams: int = 0
    is_page: bool = False
    events: dict[str, int] = field(default_factory=dict)

    @property
    def is_used(self) -> bool:
        return bool(self.calls or self.streams or self.events)


@dataclass
class Visitor:
    """The most recently used session is the last in `sessions`. `joining` counts the events on
    their way into Gradio's queue."""

    bounds: Bounds
    sessions: OrderedDict[str, Session] = field(default_factory=OrderedDict)
    joining: int = 0

    @property
    def events(self) -> int:
        return self.joining + sum(len(session.events) for session in self.sessions.values())

    @property
    def streams(self) -> int:
        return sum(session.streams for session in self.sessions.values())

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(session.size for session in self.sessions.values())
