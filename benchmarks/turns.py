"""What a reply on the page costs its server, and what it costs late in a conversation."""

import asyncio
from typing import Any

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.hall import Hall
from benchmarks.plan import Plan
from benchmarks.server import Server


def measure(contestant: Contestant, claude: Claude, plan: Plan) -> dict[str, Any]:
    with contestant.running(claude) as server:
        return asyncio.run(_measure(contestant, server, claude, plan))


async def _measure(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(3 * plan.words / plan.rate + plan.turns / 2 + 10)
    hall = await Hall.of(contestant, server, claude)
    reply = await hall.crowd(plan.pages, plan.words, plan.rate)
    async with hall.pages(1) as pages:
        first = await hall.ask(pages, plan.words, plan.rate)
        for _ in range(plan.turns):
            await pages[0].ask(str(claude.order(100, 0, "k")))
        late = await hall.ask(pages, plan.words, plan.rate, letter="q")
    return {"reply": reply, "first_turn": first, "late_turn": late}
