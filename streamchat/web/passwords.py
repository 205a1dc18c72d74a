"""Compares passwords, and limits how often strangers may guess them."""

import math
import secrets
import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from ipaddress import IPv6Network

from streamchat.errors import TooManyGuesses

DAY = 86_400
EVERYBODY = "everybody"
# other visitors' guesses do not lock out the machine itself
THIS_MACHINE = ("127.0.0.1", "::/64")
REMEMBERED = 10_000


class Guesses:
    """Counts the wrong passwords of the last minute: by visitor, by IPv6 /48, and in all.

    The counts of several addresses do not apply to a visitor who gave the right password within a
    day, so that no number of other addresses locks them out.
    """

    def __init__(
        self,
        *,
        visitor: int = 10,
        network: int = 30,
        everybody: int = 100,
        seconds: float = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._visitor = visitor
        self._network = network
        self._everybody = everybody
        self._seconds = seconds
        self._clock = clock
        self._wrong: dict[str, deque[float]] = {}
        self._right: dict[str, float] = {}

    def wait(self, visitor: str, *, known: bool = False) -> float:
        """Seconds until the visitor may give a password; 0 if they may now."""
        waits = [self._left(visitor, self._visitor)]
        if not (known or self._has_been_right(visitor)):
            waits += [
                self._left(EVERYBODY, self._everybody),
                self._left(network(visitor), self._network),
            ]
        return max(waits)

    def wrong(self, visitor: str) -> None:
        now = self._clock()
        for name in {visitor, network(visitor), EVERYBODY}:
            times = self._wrong[name] = self._wrong.pop(name, deque())
            times.append(now)
            _drop(times, now - self._seconds)
        while (
            self._wrong
            and self._wrong[oldest := next(iter(self._wrong))][-1] <= now - self._seconds
        ):
            del self._wrong[oldest]

    def right(self, visitor: str) -> None:
        self._right.pop(visitor, None)
        self._right[visitor] = self._clock()
        if len(self._right) > REMEMBERED:
            del self._right[next(iter(self._right))]

    def _has_been_right(self, visitor: str) -> bool:
        return (
            visitor in THIS_MACHINE or self._clock() - self._right.get(visitor, float("-inf")) < DAY
        )

    def _left(self, name: str, most: int) -> float:
        times = self._wrong.get(name, ())
        return max(times[-most] + self._seconds - self._clock(), 0) if len(times) >= most else 0


class Password:
    """The expected password. `check` takes the same time for every wrong one."""

    def __init__(self, expected: str, guesses: Guesses) -> None:
        self._expected = _digest(expected)
        self._guesses = guesses

    def check(self, given: str, visitor: str, *, known: bool = False) -> bool:
        """Whether the password is right. Raises `TooManyGuesses`, without a comparison, if the
        visitor has to wait."""
        if wait := self._guesses.wait(visitor, known=known):
            raise TooManyGuesses(retry_after=wait, seconds=math.ceil(wait))
        is_right = secrets.compare_digest(_digest(given), self._expected)
        if is_right:
            self._guesses.right(visitor)
        else:
            self._guesses.wrong(visitor)
        return is_right


def network(visitor: str) -> str:
    """The IPv6 /48 of a visitor's /64, because a provider gives one customer 65,536 of them;
    otherwise the visitor."""
    try:
        return str(IPv6Network(visitor).supernet(new_prefix=48))
    except ValueError:
        return visitor


def _drop(times: deque[float], until: float) -> None:
    while times[0] <= until:
        times.popleft()


def _digest(text: str) -> bytes:
    """A digest of fixed length, which hides even the password's length."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
