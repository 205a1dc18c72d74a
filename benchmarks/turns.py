"""The cost of a reply on the page for its server, at the start and late in a conversation."""

import asyncio
from typing import Any

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.hall import Hall
from benchmarks.plan import Plan
from benchmarks.server import Server


def reply(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(plan.words / plan.rate + 5)
    return asyncio.run(_reply(Hall(contestant, server, claude), plan))


def late(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(2 * plan.words / plan.rate + plan.turns / 4 + 5)
    return asyncio.run(_late(Hall(contestant, server, claude), plan))


async def _reply(hall: Hall, plan: Plan) -> dict[str, Any]:
    await hall.warm()
    return {"reply": await hall.crowd(plan.pages, plan.words, plan.rate)}


async def _late(hall: Hall, plan: Plan) -> dict[str, Any]:
    await hall.warm()
    async with hall.pages(1) as pages:
        first = await hall.ask(pages, plan.words, plan.rate)
        for _ in range(plan.turns):
            await pages[0].ask(str(hall.claude.order(100, 0, "k")))
        return {
            "first_turn": first,
            "late_turn": await hall.ask(pages, plan.words, plan.rate, letter="q"),
        }
