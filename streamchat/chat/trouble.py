"""Remembers an error of the owner's account, which only the owner can mend, until Claude answers
again."""

import time
from collections.abc import Callable, Sequence

from streamchat.errors import ChatError, NoCredit, OwnersAffair
from streamchat.events import OURS, Done, Failed, Text, Thinking
from streamchat.replies import Reply
from streamchat.store.journal import Entry

KINDS = {kind.cause: kind for kind in OwnersAffair.__subclasses__()}


class Trouble:
    """`error` is what keeps Claude from answering since the time `since`; None while it answers."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.error: OwnersAffair | None = None
        self.since = 0.0

    def remember(self, entries: Sequence[Entry]) -> None:
        """Takes up what the last reply before a restart failed of, where the start itself does not
        show it."""
        if entries and entries[-1].reason == NoCredit.cause:
            self.error, self.since = NoCredit(), entries[-1].at

    def started(self, error: ChatError) -> None:
        """Claude refused as the program started."""
        if isinstance(error, OwnersAffair):
            self.error, self.since = error, self._clock()

    def ended(self, reply: Reply) -> None:
        """A reply on the owner's account has ended."""
        if isinstance(reply.ending, Failed) and reply.ending.cause in KINDS:
            self.since = self.since if self.error else self._clock()
            self.error = KINDS[reply.ending.cause]()
        elif _has_answered(reply):
            self.error = None


def _has_answered(reply: Reply) -> bool:
    whole = isinstance(reply.ending, Done) and reply.ending.reason not in OURS
    return whole or not reply.first_at.keys().isdisjoint({Text, Thinking})
