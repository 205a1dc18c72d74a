"""How often new text is passed on: often enough to read smoothly, and no more often than the
machine can bear."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streamchat.replies.reply import Reply

# seconds between two frames of a short conversation
FASTEST = 0.1
# seconds between two frames of a long conversation
SLOWEST = 0.25
# seconds between two frames when many read, until the processor is full
CROWDED = 0.2
# seconds that a browser takes to redraw one more message
PER_MESSAGE = 0.001
# characters of an answer that a browser redraws in no time
SHORT = 10_000
# the browser's time for one more: Gradio reads the whole answer again for each frame
PER_CHARACTER = 2.5e-6
# one more page slows down the others, because they share the server's processor
PER_READER = 0.02
# the same for one more client over HTTP
PER_PIECE = 0.005
# how late the event loop may be
BEARABLE = 0.2
# a longer delay comes from a suspended machine, not from its load
STALLED = 1.0
# readers at once from which text gathers before it is read from the source
MANY = 6


def interval(*, messages: int, readers: int, lag: float, characters: int = 0) -> float:
    """Seconds between two frames of a page with so many messages and an answer of so many
    characters, while so many pages and clients read and the event loop is so many seconds late. A
    late event loop slows all pages down by the same factor.

    The interval grows with the answer, so that the work of a browser on all frames is proportional
    to the answer.
    """
    browser = (
        min(SLOWEST, FASTEST + messages * PER_MESSAGE) + max(0, characters - SHORT) * PER_CHARACTER
    )
    server = min(CROWDED, readers * PER_READER)
    return max(browser, server) * max(1.0, lag / BEARABLE)


def gathering(*, readers: int, lag: float) -> float:
    """Seconds between two pieces of text for a client over HTTP; 0 while there are few clients."""
    needed = readers * PER_PIECE if readers >= MANY else 0.0
    return min(FASTEST, needed) * max(1.0, lag / BEARABLE)


class Pace:
    """Counts the readers on an event loop, and measures by their sleep how late the loop is."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.readers = 0
        self.lag = 0.0
        self._clock = clock

    @contextmanager
    def reader(self) -> Iterator[None]:
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1

    def frame(self, messages: int, characters: int = 0) -> float:
        return interval(
            messages=messages, characters=characters, readers=self.readers, lag=self.lag
        )

    def piece(self) -> float:
        return gathering(readers=self.readers, lag=self.lag)

    async def rest(self, reply: Reply, seconds: float) -> None:
        """Sleeps, unless the reply's first word or its end comes."""
        until = self._clock() + seconds
        await reply.rest(seconds, gather=self.readers >= MANY)
        if (late := self._clock() - until) >= 0:
            self.lag += (min(late, STALLED) - self.lag) / 10
