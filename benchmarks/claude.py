"""The scripted Claude, and when it wrote what."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from benchmarks.server import Server
from benchmarks.words import Order


class Claude(Server):
    _numbers = count()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Claude"]:
        with (
            TemporaryDirectory() as folder,
            cls(("-m", "benchmarks.words", "{port}"), Path(folder, "log")) as claude,
        ):
            claude.answers()
            yield claude

    def order(self, words: int, rate: int, letter: str = "w") -> Order:
        """One that nobody has given before, so that no cache can answer it."""
        return Order(words, rate, letter, next(self._numbers))

    def starts(self) -> dict[Order, float]:
        """When each order's first word was written, in seconds of the epoch."""
        return {Order.last_in(order): start for order, start in self._report()["starts"].items()}

    def latest(self) -> float:
        """By how many seconds a word was ever written too late."""
        return float(self._report()["latest"])

    def _report(self) -> Any:
        with urlopen(self.url) as answer:
            return json.load(answer)
