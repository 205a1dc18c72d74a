"""Remembers an error that only the owner can mend, until Claude answers again."""

import time
from collections.abc import Callable, Sequence

from streamchat.errors import ChatError, NoCredit, OwnersAffair
from streamchat.events import OURS, Done, Failed, Text, Thinking
from streamchat.replies import Reply
from streamchat.store.journal import Entry

KINDS = {kind.cause: kind for kind in OwnersAffair.__subclasses__()}


class Trouble:
    """`error` has kept Claude from answering since the time `since`; None while it answers."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.error: OwnersAffair | None = None
        self.since = 0.0

    def remember(self, entries: Sequence[Entry]) -> None:
        """Restores the error of the last answer before a restart, because opening the source may
        not show it."""
        answers = [entry for entry in entries if entry.is_answer]
        if answers and answers[-1].reason == NoCredit.cause:
            self.error, self.since = NoCredit(), answers[-1].at

    def started(self, error: ChatError) -> None:
        """Notes that Claude refused at the start."""
        if isinstance(error, OwnersAffair):
            self.error, self.since = error, self._clock()

    def ended(self, reply: Reply) -> None:
        """Notes the ending of a reply on the owner's account."""
        if isinstance(reply.ending, Failed) and reply.ending.cause in KINDS:
            self.since = self.since if self.error else self._clock()
            self.error = KINDS[reply.ending.cause]()
        elif _has_answered(reply):
            self.error = None


def _has_answered(reply: Reply) -> bool:
    whole = isinstance(reply.ending, Done) and reply.ending.reason not in OURS
    return whole or not reply.first_at.keys().isdisjoint({Text, Thinking})
