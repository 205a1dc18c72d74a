"""Claude's names for the offered models, and the models that it has retired."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import anthropic
from anthropic.types import ModelInfo

from streamchat.errors import ClaudeError
from streamchat.options import Menu
from streamchat.sources.claude.faults import translated


class Names:
    """Tells the menu Claude's names, if there is a choice of models. A failure to learn them is
    ignored."""

    def __init__(self, menu: Menu) -> None:
        self._menu = menu
        self._asking: asyncio.Task[None] | None = None

    def ask(self, client: anthropic.AsyncAnthropic) -> None:
        """Starts asking, once, without waiting."""
        if self._asking is None and len(self._menu.models) > 1:
            self._asking = asyncio.create_task(self._ask(client))

    def lost(self, model: str) -> None:
        """Notes that Claude does not know the model."""
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
    """Whether the model is retired."""
    ends = model.retires_at
    return model.lifecycle == "retired" or (ends is not None and ends <= datetime.now(UTC))
