"""How Claude calls the models that are offered, and which of them it has retired."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import anthropic
from anthropic.types import ModelInfo

from streamchat.errors import ClaudeError
from streamchat.options import Menu
from streamchat.sources.claude.faults import translated


class Names:
    """Tells the menu, where there is more than one model to choose. It is no loss if Claude, or a
    gateway, does not say."""

    def __init__(self, menu: Menu) -> None:
        self._menu = menu
        self._asking: asyncio.Task[None] | None = None

    def ask(self, client: anthropic.AsyncAnthropic) -> None:
        """Asks once, and waits for nothing."""
        if self._asking is None and len(self._menu.models) > 1:
            self._asking = asyncio.create_task(self._ask(client))

    def lost(self, model: str) -> None:
        """Claude did not know the model."""
        self._menu.learn(model, self._menu.models[model].name, gone=True)

    def close(self) -> None:
        if self._asking:
            self._asking.cancel()

    async def _ask(self, client: anthropic.AsyncAnthropic) -> None:
        # a gateway may answer in another shape
        with suppress(ClaudeError, AttributeError, TypeError, ValueError), translated():
            page = await client.models.list(limit=1_000, timeout=5)
            for model in page.data:
                if model.id in self._menu.models:
                    self._menu.learn(model.id, str(model.display_name or ""), gone=_is_gone(model))


def _is_gone(model: ModelInfo) -> bool:
    """Whether it answers no more."""
    ends = model.retires_at
    return model.lifecycle == "retired" or (ends is not None and ends <= datetime.now(UTC))
