"""How many pages one server serves in time, and how it takes a rush."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.hall import Crowd, Hall
from benchmarks.plan import OutOfTime, Plan
from benchmarks.server import Server

TOO_LATE = 0.3  # seconds
# processors with other work
BUSY = 0.1


def rush(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(plan.rush_words / plan.rate + 10)
    return asyncio.run(_rush(Hall(contestant, server, claude), plan))


def most(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(plan.words / plan.rate + 10)
    return {"steps": asyncio.run(_most(Hall(contestant, server, claude), plan))}


async def _rush(hall: Hall, plan: Plan) -> dict[str, Any]:
    await hall.warm()
    memory = hall.server.memory()
    async with hall.pages(plan.rush) as pages:
        crowd = await hall.ask(pages, plan.rush_words, plan.rate)
        return {"rush": crowd, "memory_per_tab": (hall.server.memory() - memory) / plan.rush}


async def _most(hall: Hall, plan: Plan) -> list[Crowd]:
    await hall.warm()
    return [crowd async for crowd in _steps(hall, plan)]


async def _steps(hall: Hall, plan: Plan) -> AsyncGenerator[Crowd]:
    """Each step, until one is too late again and again: once more, and twice where the machine has
    other work."""
    for tabs in plan.steps:
        crowds: list[Crowd] = []
        with suppress(TimeoutError, ValueError, OSError, OutOfTime):
            while not crowds or (
                crowds[-1].p99 > TOO_LATE and len(crowds) < (3 if crowds[-1].others > BUSY else 2)
            ):
                plan.clock.needs(plan.words / plan.rate + 3)
                crowds.append(await hall.crowd(tabs, plan.words, plan.rate))
        if not crowds:
            return
        best = min(crowds, key=lambda crowd: crowd.p99)
        yield best
        if best.p99 > TOO_LATE:
            return
