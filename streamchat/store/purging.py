"""Removes every word of deleted conversations, in short steps between which other work is done."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from streamchat.store import conversations, search
from streamchat.store.seams import Transaction, Work

# seconds between two looks: all that are due then share one merge of the index
EVERY = 300.0
# in one step: conversations that go, and pages of the index that are merged
GONE, MERGED = 10, 100

T = TypeVar("T")


class Run(Protocol):
    def __call__(self, work: Work[T], /) -> Awaitable[T | None]: ...


async def purge(run: Run, before: float) -> None:
    """Removes conversations that were deleted by then. If it is interrupted, the next run completes
    it, because the conversations' own rows are removed last."""
    if not await run(partial(conversations.is_any_due, before=before)):
        return
    await _all(run, partial(conversations.drop_words, before=before, most=GONE))
    # words of removed rows stay in the index until it is merged
    await run(partial(search.merge, pages=-MERGED))
    await _all(run, partial(search.merge, pages=MERGED))
    await _all(run, partial(conversations.purge, before=before, most=GONE))
    await run(lambda transaction: transaction.shrink())


async def purge_behind(run: Run, before: Callable[[], float]) -> None:
    while True:
        await purge(run, before())
        await asyncio.sleep(EVERY)


async def _all(run: Run, step: Callable[[Transaction], bool]) -> None:
    """Takes steps until one finds nothing to do, or the disk fails."""
    while await run(step):
        pass
