"""Measures how other visitors fare while one sends everything they can for a minute: `python -m
benchmarks.flood`."""

import argparse
import asyncio
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.claude import Claude
from benchmarks.contestants import EVERYWHERE
from benchmarks.lag import percentile, seen_in
from benchmarks.server import Server
from benchmarks.tab import Blueprint, Tab
from benchmarks.wire import Refused, Wire

# on this address the server counts as public; visitors are other addresses of the same machine
HOST = "127.0.0.2"
VISITORS = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
PROBE = "127.0.0.14"
# seconds between two questions of a visitor, as often as the limits per visitor bear
EVERY = 3.5
# seconds after the flood until memory is read: bodies that were sent may be read for half a minute,
# what is not fetched is kept for one, and free memory is returned every ten seconds
CALM = 110.0
RETURNED = 15.0
# seconds after which a reply is lost
LONG = 20.0
WORDS, RATE = 30, 50
MONEY = {"STREAMCHAT_DAILY_BUDGET_USD": "100000", "STREAMCHAT_VISITOR_BUDGET_USD": "100000"}


@dataclass
class Seen:
    """The visitors' waits: seconds to each first word, seconds for each look at /api/health, and
    lost replies."""

    first: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    lost: int = 0

    def __str__(self) -> str:
        return (
            f"first word: worst {max(self.first):.2f} s, p99 {percentile(self.first, 0.99):.2f} s,"
            f" median {percentile(self.first, 0.5):.2f} s of {len(self.first)}; lost replies:"
            f" {self.lost}; /api/health: worst {max(self.waits):.2f} s, p99"
            f" {percentile(self.waits, 0.99):.2f} s"
        )


class Visitor:
    """Asks now and then, and remembers what was answered."""

    def __init__(self, server: Server, claude: Claude, blueprint: Blueprint, address: str) -> None:
        self._server = server
        self._claude = claude
        self._blueprint = blueprint
        self._address = address
        self._orders: list[str] = []
        self.page = self._opened()

    async def ask(self, seen: Seen) -> None:
        order = self._claude.order(WORDS, RATE)
        try:
            async with asyncio.timeout(LONG):
                await self.page.ask(str(order))
            seen.first.append(seen_in("w", self.page.frames)[0][0] - self.page.asked_at)
        except (OSError, EOFError, Refused, RuntimeError, IndexError, TimeoutError):
            seen.lost += 1
        else:
            seen.lost += f"w{WORDS - 1}" not in self.page.shown()
            self._orders.append(str(order))

    async def go_on(self, seen: Seen, until: float) -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            await self.ask(seen)
            await asyncio.sleep(max(0.0, began + EVERY - time.monotonic()))

    async def reload(self) -> int:
        """How many of the answered questions are not there after a reload."""
        before, self.page = self.page, self._opened(self.page.id)
        before.close()
        await self.page.open()
        return sum(order not in self.page.shown() for order in self._orders)

    def _opened(self, before: str = "") -> Tab:
        return Tab(self._server.url, self._blueprint, {}, self._address, before)


async def probe(server: Server, seen: Seen) -> None:
    wire = Wire(server.url, PROBE)
    while True:
        began = time.monotonic()
        with suppress(OSError, EOFError, Refused):
            await wire.get("/api/health")
        seen.waits.append(time.monotonic() - began)
        await asyncio.sleep(0.02)


async def watch_memory(server: Server, peak: list[int]) -> None:
    while True:
        peak.append(server.memory())
        await asyncio.sleep(0.2)


@asynccontextmanager
async def meanwhile(server: Server, seen: Seen, peak: list[int]) -> AsyncGenerator[None]:
    tasks = [
        asyncio.create_task(probe(server, seen)),
        asyncio.create_task(watch_memory(server, peak)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def attacked(server: Server, seconds: float) -> int:
    """Bytes that the attacker, in a process of its own, has offered."""
    command = ("-m", "benchmarks.attacker", server.url, str(seconds))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return int(re.findall(rb"\d+", output)[-1])


async def visited(visitors: list[Visitor], seconds: float, seen: Seen) -> None:
    until = time.monotonic() + seconds
    await asyncio.gather(*(visitor.go_on(seen, until) for visitor in visitors))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def measure(server: Server, claude: Claude, folder: Path, seconds: float) -> None:
    blueprint = await Blueprint.of(server.url)
    visitors = [Visitor(server, claude, blueprint, address) for address in VISITORS]
    for visitor in visitors:
        await visitor.page.open()
        # the first answer of a server waits for the import of the SDK
        await visitor.ask(Seen())
    quiet, loud, peak = Seen(), Seen(), [0]
    async with meanwhile(server, quiet, peak):
        await visited(visitors, min(seconds, 10), quiet)
    print(f"before: {quiet}")
    memory, disk = server.memory(), size_of(folder)
    async with meanwhile(server, loud, peak):
        sent, _ = await asyncio.gather(attacked(server, seconds), visited(visitors, seconds, loud))
    print(f"during: {loud}")
    print(f"the attacker tried to send {sent / 1e6:,.0f} MB")
    gone = sum([await visitor.reload() for visitor in visitors])
    flooded = size_of(folder)
    await asyncio.sleep(CALM)
    # the next visitor's request is when the server clears up
    await visitors[0].ask(Seen())
    await asyncio.sleep(RETURNED)
    print(f"answers that a reload does not find: {gone}")
    print(
        f"memory: {memory / 1e6:.0f} MB, at most {max(peak) / 1e6:.0f}, later"
        f" {server.memory() / 1e6:.0f}"
    )
    print(f"disk: {disk / 1e6:.1f} MB, then {flooded / 1e6:.1f}, later {size_of(folder) / 1e6:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flood", description=__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        default=60,
        help="how long it lasts, and how long after it memory is read",
    )
    seconds = parser.parse_args().seconds
    with Claude.running() as claude, TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environment = {
            **EVERYWHERE,
            **MONEY,
            "NO_PROXY": f"127.0.0.1,{HOST}",
            "ANTHROPIC_BASE_URL": claude.url,
            "STREAMCHAT_DATA_DIR": str(folder / "data"),
            "STREAMCHAT_AUTH": "",
            "GRADIO_SERVER_PORT": "{port}",
        }
        with Server(("app.py", "--host", HOST), folder / "log", host=HOST, **environment) as server:
            server.answers()
            asyncio.run(measure(server, claude, folder / "data", seconds))


if __name__ == "__main__":
    main()
