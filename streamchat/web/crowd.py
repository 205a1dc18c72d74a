"""Bounds the sessions, events and streams of Gradio's pages, for each visitor."""

import time
from collections import OrderedDict
from collections.abc import Callable

from streamchat.web.calls import Call
from streamchat.web.problem import Unfit
from streamchat.web.sessions import (
    FEW,
    LOOPBACK,
    MANY,
    SESSION_BYTES,
    TWICE,
    Bounds,
    GradioSessions,
    Session,
    Visitor,
)

UNREAD_SECONDS = 60.0
# after which Gradio forgets a session, too
IDLE_SECONDS = 3_600.0
SWEEP_SECONDS = 5.0
RETRY = {"Retry-After": "5"}
# sessions, of all visitors
TOTAL = 2_000


class Crowd:
    """The sessions of all visitors.

    Over a visitor's bound the session that they used longest ago is dropped; if all are in use, the
    request is refused. At `total` sessions the visitor with most of them loses one.
    """

    def __init__(
        self,
        *,
        bounds: Bounds = FEW,
        loopback: Bounds = MANY,
        total: int = TOTAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bounds = bounds
        self._loopback = loopback
        self._total = total
        self._clock = clock
        self._visitors: dict[str, Visitor] = {}
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._swept = clock()

    def __len__(self) -> int:
        return len(self._sessions)

    def visitor(self, name: str) -> Visitor:
        if name not in self._visitors:
            self._visitors[name] = Visitor(self._loopback if name in LOOPBACK else self._bounds)
        return self._visitors[name]

    def session_of(self, event: str) -> str:
        """The session of an event. An event that was called without a session is its own."""
        return next(
            (name for name, session in self._sessions.items() if event in session.events), event
        )

    def enter(self, name: str, session: str, size: int, gradio: GradioSessions) -> Session:
        """The visitor's session, new if there is none. Raises `Unfit` without room for so many
        bytes."""
        self._sweep(gradio)
        visitor = self.visitor(name)
        found = self._sessions.get(session)
        if found is None:
            self._make_room(visitor, gradio)
        elif found.visitor is not visitor:
            self._move(session, found, visitor)
        place = found or Session(visitor)
        more = max(size + SESSION_BYTES - place.size, 0)
        self._make_way(visitor, session, more, gradio)
        place.size += more
        self._use(session, place)
        return place

    def admit(self, name: str, session: Session | None, call: Call, gradio: GradioSessions) -> None:
        """Counts an event before it is queued. Raises `Unfit` for one too many."""
        visitor = self.visitor(name)
        if session is None:
            self._make_room(visitor, gradio)
        self._count(visitor, gradio)
        same = list(session.events.values()).count(call.number) if session else 0
        if visitor.events >= visitor.bounds.events or (same >= TWICE and not call.is_endpoint):
            raise Unfit(429, "too_many_events", RETRY)
        visitor.joining += 1

    def join(self, name: str, session: str | None, event: str | None, call: Call) -> None:
        """Notes that the admitted event is queued, or that Gradio refused it."""
        visitor = self.visitor(name)
        visitor.joining -= 1
        if event:
            place = self._sessions.get(session or event) or Session(visitor)
            place.events[event] = call.number
            self._use(session or event, place)

    def open_stream(self, name: str, session: str, gradio: GradioSessions) -> Session:
        visitor = self.visitor(name)
        if visitor.streams >= visitor.bounds.streams:
            raise Unfit(429, "too_many_streams", RETRY)
        place = self.enter(name, session, 0, gradio)
        place.streams += 1
        place.is_page = True
        return place

    def close_stream(self, session: str, place: Session, gradio: GradioSessions) -> None:
        place.streams -= 1
        place.used = self._clock()
        if not place.streams:
            gradio.close(session)

    def _use(self, name: str, session: Session) -> None:
        session.used = self._clock()
        for sessions in (self._sessions, session.visitor.sessions):
            sessions[name] = session
            sessions.move_to_end(name)

    def _count(self, visitor: Visitor, gradio: GradioSessions) -> None:
        for name, session in visitor.sessions.items():
            for event in [event for event in session.events if not gradio.is_open(name, event)]:
                del session.events[event]

    def _make_room(self, visitor: Visitor, gradio: GradioSessions) -> None:
        while len(visitor.sessions) >= visitor.bounds.sessions:
            if not self._drop_oldest(visitor, gradio):
                raise Unfit(429, "too_many_pages", RETRY)
        if len(self._sessions) >= self._total:
            most_first = sorted(self._visitors.values(), key=lambda each: -len(each.sessions))
            if not any(self._drop_oldest(each, gradio) for each in most_first):
                raise Unfit(503, "crowded", RETRY, wording="too_many_people")

    def _make_way(self, visitor: Visitor, session: str, more: int, gradio: GradioSessions) -> None:
        """Makes room for that many bytes more in the session."""
        while visitor.size + more > visitor.bounds.size:
            if not self._drop_oldest(visitor, gradio, besides=session):
                raise Unfit(429, "too_many_pages", RETRY)

    def _drop_oldest(self, visitor: Visitor, gradio: GradioSessions, besides: str = "") -> bool:
        """Drops the visitor's session that was used longest ago and is not in use. Returns false if
        there is none."""
        self._count(visitor, gradio)
        for name, session in visitor.sessions.items():
            if name != besides and not session.is_used:
                self._drop(name, session, gradio)
                return True
        return False

    def _drop(self, name: str, session: Session, gradio: GradioSessions) -> None:
        del self._sessions[name], session.visitor.sessions[name]
        gradio.forget(name)

    @staticmethod
    def _move(name: str, session: Session, visitor: Visitor) -> None:
        """Gives the session to the visitor who uses it now: a phone that changes networks gets
        another address."""
        del session.visitor.sessions[name]
        session.visitor = visitor
        visitor.sessions[name] = session

    def _sweep(self, gradio: GradioSessions) -> None:
        """Drops unread results, sessions that were unused for long, and visitors without a
        session."""
        now = self._clock()
        if now < self._swept + SWEEP_SECONDS:
            return
        self._swept = now
        for name, session in self._unused(now - UNREAD_SECONDS):
            if not session.is_page or session.used < now - IDLE_SECONDS:
                self._drop(name, session, gradio)
            elif session.events:
                session.events.clear()
                gradio.abandon(name)
        gradio.tidy()
        for visitor in [
            name for name, each in self._visitors.items() if not each.sessions and not each.joining
        ]:
            del self._visitors[visitor]

    def _unused(self, since: float) -> list[tuple[str, Session]]:
        return [
            (name, each)
            for name, each in self._sessions.items()
            if each.used < since and not (each.calls or each.streams)
        ]
