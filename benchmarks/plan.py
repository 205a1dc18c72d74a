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
    words: int = 400  # of a reply, as most of the measures have it
    rate: int = 50  # words a second
    streams: int = 20  # over HTTP at once
    pages: int = 8  # over whose replies the cost of one is averaged
    turns: int = 99  # before the one that is compared with the first
    steps: tuple[int, ...] = (16, 24, 64, 96, 128, 160)  # pages at once
    rush: int = 64  # pages within a second
    rush_words: int = 100
    page_words: int = 1000  # of the reply that is read in Chromium
    page_rate: int = 100
    page_lines: int = 10_000  # of the long reply that is read there
    page_line_rate: int = 500
    page_turns: int = 30  # before the reply that is read in Chromium
    idle: float = 6.0  # seconds
    one_server: bool = False  # for all parts, or a new one for each

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
            idle=0.5,
            one_server=True,
        )
