"""The rate limit of each visitor, and the number of replies running at once, of one visitor and of
all."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from limits import RateLimitItem, parse_many

from streamchat.errors import Crowded, TooManyAtOnce, TooOften
from streamchat.visitors.visitor import Local

HOUR, DAY = 3_600, 86_400
# of a window: visitors read of limits when these begin to matter
SCARCE = 0.2
# a place becomes free with any reply's end, which nobody knows
CROWDED_RETRY_AFTER = 5


@dataclass(frozen=True, eq=False)
class Admission:
    """A place that a reply takes from its start to its end."""

    visitor: str | None
    _all: "set[Admission]" = field(repr=False)

    def leave(self) -> None:
        self._all.discard(self)


@dataclass(frozen=True)
class Bounds:
    """How often one visitor may ask, and how many replies they may have running at once."""

    rates: list[RateLimitItem]
    replies: int


class Limits:
    """`rate` applies to each visitor, in every window of time that ends now, by `clock`.

    For a `Local` visitor `local_rate` and `local_replies` apply instead, if they are given.
    """

    def __init__(  # noqa: PLR0913 (each is a bound of its own)
        self,
        *,
        rate: str,
        visitor_replies: int,
        max_replies: int,
        local_rate: str | None = None,
        local_replies: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replies = visitor_replies
        self._local_replies = visitor_replies if local_replies is None else local_replies
        self.change(rate, local_rate)
        self._max_replies = max_replies
        self._clock = clock
        self._admissions: set[Admission] = set()
        # of admissions, by visitor; who came last is last
        self._times: dict[str, deque[float]] = {}

    def change(self, rate: str, local_rate: str | None = None) -> None:
        """Applies these rates from now on, also to earlier questions."""
        rates = _rates(rate)
        local_rates = rates if local_rate is None else _rates(local_rate)
        self._of_strangers = Bounds(rates, self._replies)
        self._of_local = Bounds(local_rates, self._local_replies)
        self._longest = max((each.get_expiry() for each in (*rates, *local_rates)), default=0)

    def admit(self, visitor: str | None) -> Admission:
        """Takes a place, or raises `TooOften`, `TooManyAtOnce` or `Crowded`. A refusal counts for
        nothing.

        Without a visitor, only the limit on all replies applies.
        """
        now = self._clock()
        self._forget(now)
        if visitor is not None:
            self._check(visitor, now)
        if len(self._admissions) >= self._max_replies:
            raise Crowded(retry_after=CROWDED_RETRY_AFTER)
        if visitor is not None and self._bounds(visitor).rates:
            self._count(visitor, now)
        admission = Admission(visitor, self._admissions)
        self._admissions.add(admission)
        return admission

    def check(self, visitor: str | None) -> None:
        """Raises `TooOften` or `TooManyAtOnce` where `admit` would."""
        if visitor is not None:
            self._check(visitor, self._clock())

    def left(self, visitor: str) -> list[tuple[int, int, str]]:
        """The messages that a visitor has left in each window of an hour or longer that is nearly
        used up, as in (2, 1, "hour"). A shorter one is over before it matters."""
        now, rates = self._clock(), self._bounds(visitor).rates
        times = self._times.get(visitor, ())
        found = [
            (each, each.amount - sum(now < at + each.get_expiry() for at in times))
            for each in rates
            if each.get_expiry() >= HOUR
        ]
        return [
            (max(0, left), each.multiples, each.GRANULARITY.name)
            for each, left in found
            if left <= SCARCE * each.amount
        ]

    def throttled(self) -> dict[str, float]:
        """Visitors over their rate, and the seconds until they may ask again."""
        now = self._clock()
        self._forget(now)
        return {visitor: wait for visitor in self._times if (wait := self._wait(visitor, now)) > 0}

    def _bounds(self, visitor: str | None) -> "Bounds":
        return self._of_local if isinstance(visitor, Local) else self._of_strangers

    def _check(self, visitor: str, now: float) -> None:
        if (wait := self._wait(visitor, now)) > 0:
            raise TooOften(retry_after=wait)
        running = sum(admission.visitor == visitor for admission in self._admissions)
        if running >= self._bounds(visitor).replies:
            raise TooManyAtOnce(running=running)

    def _count(self, visitor: str, now: float) -> None:
        times = self._times[visitor] = self._times.pop(visitor, deque())
        times.append(now)
        while now >= times[0] + self._longest:
            times.popleft()

    def _wait(self, visitor: str, now: float) -> float:
        """Seconds until the oldest admission has left each window that is full."""
        times = self._times.get(visitor, ())
        full = [each for each in self._bounds(visitor).rates if len(times) >= each.amount]
        return max((times[-each.amount] + each.get_expiry() - now for each in full), default=0)

    def _forget(self, now: float) -> None:
        """Drops the visitors whose admissions have left every window."""
        while (
            self._times
            and now >= self._times[oldest := next(iter(self._times))][-1] + self._longest
        ):
            del self._times[oldest]


def rate(text: str) -> str:
    """Returns the text if it holds one or several rates, as in `20/minute;300/day`, or is empty or
    `off`. Raises `ValueError` otherwise."""
    _rates(text)
    return text


def _rates(text: str) -> list[RateLimitItem]:
    if text.strip().lower() in ("", "off"):
        return []
    try:
        rates = parse_many(text)
    except ValueError:
        raise ValueError("it should be like 20/minute;300/day, or off") from None
    if not all(each.amount for each in rates):
        raise ValueError("it should let everybody ask at least once")
    if any(each.get_expiry() > DAY for each in rates):
        raise ValueError("it should not look back further than a day")
    return rates
