"""The deadlines of a reply: how long it may be silent, and how long it may take in all."""

import time
from collections.abc import Callable

from streamchat.errors import Silent, TookTooLong


class Deadlines:
    """Times are in seconds, by `clock`. Silence is the time without a word or a thought in one
    attempt."""

    def __init__(
        self, *, silence: float, reply: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._silence = silence
        self._clock = clock
        self._ends_at = clock() + reply
        self._silent_at = self._ends_at

    def check(self, *, heard: bool) -> None:
        """Raises `Silent` or `TookTooLong` once a deadline has passed. `heard` restarts the
        silence: a word or a thought has come, or a request has been sent."""
        now = self._clock()
        if now >= self._ends_at:
            raise TookTooLong
        if heard:
            self._silent_at = now + self._silence
        elif now >= self._silent_at:
            raise Silent
