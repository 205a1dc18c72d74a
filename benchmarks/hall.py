"""Many pages at once on one server, and what each word, reply and page costs it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.lag import lags, percentile, seen_in
from benchmarks.server import Server, machine_cpu
from benchmarks.tab import Blueprint, Tab
from benchmarks.words import Order

# seconds after which a reply that should have ended is given up
LONG = 30.0

# seconds after which a page that was opened is at rest
SETTLED = 0.5


@dataclass(frozen=True)
class Crowd:
    """The outcome when so many pages ask within a second. Times in seconds, sizes in bytes."""

    tabs: int
    p50: float
    p99: float
    first_after_enter: float
    first_after_claude: float
    cpu_per_reply: float
    cpu_per_word: float
    bytes_per_reply: float
    # processors that were busy with something else
    others: float


@dataclass(frozen=True)
class Meter:
    """The cost: seconds of time, of the server's processors and of everybody else's; bytes over the
    wire."""

    seconds: float
    server: float
    others: float
    bytes: int

    def __sub__(self, before: "Meter") -> "Meter":
        seconds, server, others = (
            self.seconds - before.seconds,
            self.server - before.server,
            self.others - before.others,
        )
        return Meter(seconds, server, others, self.bytes - before.bytes)


@dataclass(frozen=True)
class Reading:
    """When a page had its first word, in seconds of the epoch, and how late each word was."""

    first: float
    lags: list[float]


@dataclass(frozen=True)
class Hall:
    """A server with a Claude behind it, and its pages."""

    contestant: Contestant
    server: Server
    claude: Claude

    async def warm(self) -> None:
        """Puts the first replies, for which a server loads what it needs, behind it."""
        await self.crowd(2, 20, 50)

    async def crowd(self, tabs: int, words: int, rate: int) -> Crowd:
        """New pages that ask within a second. Raises TimeoutError or ValueError where not all words
        arrived."""
        async with self.pages(tabs) as pages:
            return await self.ask(pages, words, rate)

    async def ask(self, pages: list[Tab], words: int, rate: int, letter: str = "w") -> Crowd:
        before = self._meter(pages)
        orders = [self.claude.order(words, rate, letter) for _ in pages]
        asked = (
            self._ask(*each, number / len(pages))
            for number, each in enumerate(zip(pages, orders, strict=True))
        )
        async with asyncio.timeout(words / (rate or 1000) + LONG):
            await asyncio.gather(*asked)
        spent = self._meter(pages) - before
        starts = self.claude.starts()
        readings = [
            _reading(page, order, starts[order]) for page, order in zip(pages, orders, strict=True)
        ]
        late = [lag for reading in readings for lag in reading.lags]
        return Crowd(
            tabs=len(pages),
            p50=percentile(late, 0.5),
            p99=percentile(late, 0.99),
            first_after_enter=max(
                reading.first - page.asked_at for reading, page in zip(readings, pages, strict=True)
            ),
            first_after_claude=max(reading.lags[0] for reading in readings),
            cpu_per_reply=spent.server / len(pages),
            cpu_per_word=spent.server / len(pages) / words,
            bytes_per_reply=spent.bytes / len(pages),
            others=max(0.0, spent.others / spent.seconds),
        )

    @asynccontextmanager
    async def pages(self, tabs: int) -> AsyncGenerator[list[Tab]]:
        blueprint = await Blueprint.of(self.server.url)
        pages = [Tab(self.server.url, blueprint, self.contestant.polls) for _ in range(tabs)]
        try:
            for some in range(0, tabs, 8):
                await asyncio.gather(*(page.open() for page in pages[some : some + 8]))
            await asyncio.sleep(SETTLED)
            yield pages
        finally:
            for page in pages:
                page.close()

    def _meter(self, pages: list[Tab]) -> Meter:
        server = self.server.cpu()
        others = machine_cpu() - server - self.claude.cpu() - time.process_time()
        return Meter(time.monotonic(), server, others, sum(page.wire.bytes for page in pages))

    @staticmethod
    async def _ask(page: Tab, order: Order, after: float) -> None:
        await asyncio.sleep(after)
        await page.ask(str(order))


def _reading(page: Tab, order: Order, start: float) -> Reading:
    seen = seen_in(order.letter, page.frames)
    return Reading(seen[0][0], lags(order, start, seen))
