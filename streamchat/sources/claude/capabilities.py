"""The optional parameters that a model accepts, and their values."""

import asyncio
from contextlib import suppress

import anthropic
from anthropic.types import ModelInfo

from streamchat.errors import (
    ClaudeError,
    NotPermitted,
    RequestRejected,
    Silent,
    UnknownModel,
    WrongAddress,
)
from streamchat.options import EFFORTS, Effort
from streamchat.sources.claude.faults import translated

# errors after which asking again would give the same answer
FINAL = (NotPermitted, RequestRejected, Silent, UnknownModel, WrongAddress)


class Capabilities:
    """Facts about one model, asked of Claude once. Parameters that the model or a gateway refuses
    later are added to `refused`, by name."""

    def __init__(self, model: str) -> None:
        self.refused: set[str] = set()
        # where nothing is known of it, documents are sent as they always were
        self.cites = False
        self._model = model
        # empty while it is not known
        self._efforts: set[Effort] = set()
        self._most_tokens: int | None = None
        self._known = False
        self._asking: asyncio.Task[None] | None = None

    async def learn(self, client: anthropic.AsyncAnthropic, *, of_owner: bool = True) -> None:
        """Asks Claude unless the facts are known. Concurrent callers share one request.

        A refusal to a visitor's key may be due to that key, and is not remembered.
        """
        if self._known:
            return
        if not of_owner:
            await self._retrieve(client)
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(client))
            self._asking.add_done_callback(_retrieve)
        await asyncio.shield(self._asking)

    def effort(self, wanted: Effort) -> Effort:
        """The effort, or the next lower one that the model accepts, or its lowest."""
        if not self._efforts or wanted in self._efforts:
            return wanted
        taken = [effort for effort in EFFORTS if effort in self._efforts]
        lower = [effort for effort in taken if EFFORTS.index(effort) < EFFORTS.index(wanted)]
        return lower[-1] if lower else taken[0]

    def max_tokens(self, wanted: int) -> int:
        """The number, or the model's own limit if that is lower."""
        return min(wanted, self._most_tokens or wanted)

    def close(self) -> None:
        if self._asking:
            self._asking.cancel()

    async def _ask(self, client: anthropic.AsyncAnthropic) -> None:
        try:
            await self._retrieve(client)
        except ClaudeError as error:
            self._known = isinstance(error, FINAL)
            # a gateway may not know this route
            if not isinstance(error, RequestRejected | WrongAddress):
                raise

    async def _retrieve(self, client: anthropic.AsyncAnthropic) -> None:
        # a gateway may know less of it, or answer with a page
        with translated(), suppress(AttributeError):
            model = await client.models.retrieve(self._model, timeout=5)
            self._known = True
            self._note(model)

    def _note(self, model: ModelInfo) -> None:
        self._most_tokens = model.max_tokens
        can = model.capabilities
        if can and not can.thinking.types.adaptive.supported:
            self.refused.add("thinking")
        if can and not can.effort.supported:
            self.refused.add("output_config")
        if can and not can.server_tools.web_search.supported:
            self.refused.add("tools")
        self.cites = can is not None and can.citations.supported
        if can and can.effort.supported:
            levels = {effort: getattr(can.effort, effort) for effort in EFFORTS}
            self._efforts = {
                effort for effort, level in levels.items() if level and level.supported
            }


def _retrieve(asking: asyncio.Task[None]) -> None:
    """Retrieves the error of a task that no caller waits for any more, so that asyncio does not log
    it."""
    if not asking.cancelled():
        asking.exception()
