"""How much is measured, and how long it may take."""

import time
from dataclasses import dataclass


class OutOfTime(Exception):
    """There is too little time left for the next measurement."""


class Clock:
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def needs(self, seconds: float) -> None:
        if time.monotonic() + seconds > self._end:
            raise OutOfTime


@dataclass(frozen=True)
class Plan:
    clock: Clock
    # of a reply, as most of the measures have it
    words: int = 400
    rate: int = 50  # words a second
    # over HTTP at once
    streams: int = 20
    # over whose replies the cost of one is averaged
    pages: int = 8
    # before the one that is compared with the first
    turns: int = 99
    steps: tuple[int, ...] = (16, 24, 64, 96, 128, 160)  # pages at once
    # pages within a second
    rush: int = 64
    rush_words: int = 100
    # of the reply that is read in Chromium
    page_words: int = 1000
    page_rate: int = 100
    # of the long reply that is read there
    page_lines: int = 10_000
    page_line_rate: int = 500
    # before the reply that is read in Chromium
    page_turns: int = 30
    # saved, and the turns of two of them
    saved: int = 200
    saved_turns: int = 100
    # between these two
    switches: int = 12
    idle: float = 6.0  # seconds
    # for all parts, or a new one for each
    one_server: bool = False

    @classmethod
    def quick(cls, clock: Clock) -> "Plan":
        return cls(
            clock,
            words=50,
            streams=4,
            pages=2,
            turns=2,
            steps=(2, 4),
            rush=8,
            rush_words=10,
            page_words=50,
            page_lines=200,
            page_turns=2,
            saved=10,
            saved_turns=3,
            switches=4,
            idle=0.5,
            one_server=True,
        )
