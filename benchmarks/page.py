"""Measures the page in a real Chromium."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.lag import lags, percentile
from benchmarks.plan import Plan
from benchmarks.server import Server
from benchmarks.words import ALONE
from tests.browser import LAUNCH_ARGS, find

SAMPLER = (Path(__file__).parent / "sampler.js").read_text(encoding="utf-8")

TASKS = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
}"""

# The samples, unless the last word is not on the screen after so many seconds.
SAMPLED = """(seconds) => Promise.race([sampled, new Promise((_, fail) => {
  setTimeout(() => fail(new Error(`The last word was not there after ${seconds} s`)), 1000 * seconds);
})])"""
# seconds after the last word's time
PATIENCE = 120.0
# seconds from opening a page to the first question
SETTLED = 1.0
# times slower than this machine
PHONE = 4


SHIFTS = """() => {
  window.shifted = 0;
  const add = ({ value, hadRecentInput }) => { if (!hadRecentInput) window.shifted += value; };
  new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type: "layout-shift" });
}"""


@dataclass(frozen=True)
class Reading:
    """How one reply was read. Seconds; `shift` is the sum of its layout shifts."""

    first: float
    p50: float
    p99: float
    last: float
    busy: float
    shift: float


@cache
def path() -> str | None:
    return os.environ.get("CHROMIUM") or find()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path(), args=LAUNCH_ARGS)


def measure(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(2 * plan.page_words / plan.page_rate + plan.page_turns + 15)
    with chromium() as browser:
        with closing(Reader(browser, contestant, server, claude)) as first:
            # what is loaded and compiled once is behind it
            first.turn(20)
        with closing(Reader(browser, contestant, server, claude)) as fresh:
            alone = fresh.read(plan.page_words, plan.page_rate)
        with closing(Reader(browser, contestant, server, claude)) as long:
            for _ in range(plan.page_turns):
                long.turn(100)
            return {"page": alone, "page_after_turns": long.read(plan.page_words, plan.page_rate)}


def slowly(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    """As a phone has it, whose processor is slower."""
    plan.clock.needs(2 * plan.page_words / plan.page_rate + 10)
    with chromium() as browser, closing(Reader(browser, contestant, server, claude)) as reader:
        reader.turn(20)
        reader.slow_down(PHONE)
        return {"page_on_a_phone": reader.read(plan.page_words, plan.page_rate)}


def long(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    """A reply of very many lines: what it keeps the page from doing anything else."""
    plan.clock.needs(3 * plan.page_lines / plan.page_line_rate + 30)
    with chromium() as browser, closing(Reader(browser, contestant, server, claude)) as reader:
        reader.turn(20)
        reader.note_tasks()
        reading = reader.read(plan.page_lines, plan.page_line_rate, ALONE)
        return {
            "long_page": {
                "longest": reader.longest_task(),
                "busy": reading.busy,
                "last": reading.last,
            }
        }


class Reader:
    def __init__(
        self, chromium: Browser, contestant: Contestant, server: Server, claude: Claude
    ) -> None:
        self._page: Page = chromium.new_page()
        self._contestant, self._claude = contestant, claude
        self._turns = 0
        self._page.goto(server.url)
        self._page.wait_for_timeout(1000 * SETTLED)
        self._costs = self._page.context.new_cdp_session(self._page)
        self._costs.send("Performance.enable")

    def close(self) -> None:
        self._page.close()

    def slow_down(self, times: float) -> None:
        self._costs.send("Emulation.setCPUThrottlingRate", {"rate": times})

    def turn(self, words: int) -> None:
        """A short reply that comes at once."""
        self._ask(str(self._claude.order(words, 0, "k")))
        self._turns += 1
        answers = self._page.locator(self._contestant.answers).filter(has_text=f"k{words - 1}")
        expect(answers).to_have_count(self._turns, timeout=30_000)

    def note_tasks(self) -> None:
        self._page.evaluate(TASKS)

    def longest_task(self) -> float:
        """Seconds; 0 if none took more than 50 ms."""
        return max(self._page.evaluate("tasks"), default=0.0) / 1000

    def read(self, words: int, rate: int, letter: str = "w") -> Reading:
        order = self._claude.order(words, rate, letter)
        self._page.evaluate(SAMPLER, [self._contestant.answers, order.letter, words - 1])
        self._page.evaluate(SHIFTS)
        busy = self._busy()
        self._ask(str(order))
        entered, *seen = self._page.evaluate(SAMPLED, words / rate + PATIENCE)
        late = lags(order, self._claude.starts()[order], [(at, word) for at, word in seen])
        first = seen[0][0] - entered
        busy = self._busy() - busy
        # until the buttons below the reply are there
        self._page.wait_for_timeout(1000 * SETTLED)
        shift = float(self._page.evaluate("shifted"))
        p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
        return Reading(first, p50, p99, late[-1], busy, shift)

    def _ask(self, message: str) -> None:
        box = self._page.locator(self._contestant.box or "textarea")
        box.fill(message)
        expect(self._page.locator(self._contestant.send)).to_be_visible(timeout=30_000)
        box.press("Enter")

    def _busy(self) -> float:
        metrics = self._costs.send("Performance.getMetrics")["metrics"]
        return float(
            next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
        )
