"""The cost of `POST /api/streaming-chat`."""

import asyncio
from typing import Any

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.lag import lags, percentile, seen_in
from benchmarks.plan import Plan
from benchmarks.server import Server
from benchmarks.wire import Wire
from benchmarks.words import Order

Pieces = list[tuple[float, bytes]]


def measure(_: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(plan.words / plan.rate + 5)
    # what is loaded once is behind it
    asyncio.run(_read(server, [claude.order(20, plan.rate)]))
    orders = [claude.order(plan.words, plan.rate) for _ in range(plan.streams)]
    cpu = server.cpu()
    answers = asyncio.run(_read(server, orders))
    cpu = server.cpu() - cpu
    starts = claude.starts()
    late = [
        lag
        for order, pieces in answers
        for lag in lags(order, starts[order], seen_in(order.letter, pieces))
    ]
    words = plan.words * plan.streams
    return {
        "route": {
            "cpu_per_word": cpu / words,
            "p50": percentile(late, 0.5),
            "p99": percentile(late, 0.99),
        }
    }


async def _read(server: Server, orders: list[Order]) -> list[tuple[Order, Pieces]]:
    return await asyncio.gather(
        *(_answer(server, order, number) for number, order in enumerate(orders))
    )


async def _answer(server: Server, order: Order, number: int) -> tuple[Order, Pieces]:
    # so that the streams do not all write in the same millisecond
    await asyncio.sleep(number * 0.0137)
    wire = Wire(server.url)
    pieces = [
        piece async for piece in wire.stream("POST", "/api/streaming-chat", {"message": str(order)})
    ]
    wire.close()
    return order, [*pieces, (pieces[-1][0], b" ")]
