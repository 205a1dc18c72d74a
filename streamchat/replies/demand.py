"""Whether anybody wants more of what a task reads; what it leaves in its connection meanwhile is read in one go."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar


async def _always() -> None:
    pass


demand: ContextVar[Callable[[], Awaitable[None]]] = ContextVar("demand", default=_always)


async def wanted() -> None:
    """To be awaited before more is read; waits for those for whom the running task reads."""
    await demand.get()()
