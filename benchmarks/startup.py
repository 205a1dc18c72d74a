"""How soon a server is there, and what it costs while nothing happens."""

import time
from contextlib import closing
from typing import Any

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.page import Reader, chromium
from benchmarks.plan import Plan
from benchmarks.server import Server


def measure(contestant: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    plan.clock.needs(1.5 * plan.idle + 5)
    with chromium() as browser, closing(Reader(browser, contestant, server, claude)):
        # until things have settled
        time.sleep(plan.idle / 2)
        cpu = server.cpu()
        time.sleep(plan.idle)
        idle = (server.cpu() - cpu) / plan.idle
        return {"startup": {"seconds": server.started, "idle": idle, "memory": server.memory()}}
