"""The cost of a reply in dollars, by the price list of the package genai-prices."""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import genai_prices
from genai_prices.data import providers

from streamchat.events import Conversation, Message, Usage
from streamchat.meter import RESULT_TOKEN, RESULT_TOKENS, length

logger = logging.getLogger(__name__)

# more than Claude adds to a prompt by itself
CALL_TOKENS = 1_000
# more than the tool for searches takes: 2,000 to 2,700
TOOL_TOKENS = 2_700
# more than a message takes beside its text
MESSAGE_TOKENS = 16


class Prices:
    """The prices of a model; for an unknown one, those of the dearest known one."""

    def __init__(self, model: str) -> None:
        self._model = model
        try:
            self.cost(Usage())
        except LookupError:
            self._model = dearest()
            logger.warning(
                "What %s costs is not known; it is counted as if it were %s.", model, self._model
            )

    def cost(self, usage: Usage) -> float:
        return float(price(self._model, usage))

    def saved(self, usage: Usage) -> float:
        """Dollars that the reply would have cost more without the cache."""
        read = usage.cache_read_tokens
        uncached = replace(usage, input_tokens=usage.input_tokens + read, cache_read_tokens=0)
        return float(price(self._model, uncached) - price(self._model, usage))

    def most(
        self,
        conversation: Conversation,
        system_prompt: str,
        max_tokens: int,
        *,
        of_files: int | None = None,
        searches: int = 0,
    ) -> Usage:
        """The upper bound of a call's usage: a token is at least a byte, and `max_tokens` includes
        the thoughts. `of_files` is how many tokens the files have at most, if Claude has counted
        them.

        Of `searches` one after the other each has Claude read everything once more, with the
        results of those before. Nothing bounds the tokens of results: this is more than most have.
        """
        texts = [system_prompt, *(message.text for message in conversation)]
        tokens = CALL_TOKENS + sum(MESSAGE_TOKENS + length(text) for text in texts)
        tokens += tokens_of_files(conversation) if of_files is None else of_files
        tokens += sum(map(tokens_of_blocks, conversation))
        if searches:
            results = RESULT_TOKENS * searches * (searches + 1) // 2
            tokens = (searches + 1) * (tokens + TOOL_TOKENS) + results
        return max(
            Usage(tokens, max_tokens, web_searches=searches),
            Usage(0, max_tokens, cache_write_tokens=tokens, web_searches=searches),
            key=self.cost,
        )

    def worst(self, conversation: Conversation, system_prompt: str, max_tokens: int) -> float:
        """The upper bound of a call's cost."""
        return self.cost(self.most(conversation, system_prompt, max_tokens))


def tokens_of_files(conversation: Conversation) -> int:
    """The most that Claude counts for the files, by their sizes and pages and never by their
    base64."""
    return sum(
        MESSAGE_TOKENS + length(file.name) + file.tokens
        for message in conversation
        for file in message.files
    )


def tokens_of_blocks(message: Message) -> int:
    """The most that Claude counts for its own blocks, which it gets back after a pause."""
    return sum(MESSAGE_TOKENS + _encoded(block) for block in message.blocks)


def _encoded(block: Mapping[str, Any]) -> int:
    size = length(json.dumps(block, ensure_ascii=False))
    return math.ceil(size / RESULT_TOKEN) if block.get("type", "").endswith("_result") else size


def price(model: str, usage: Usage) -> Decimal:
    """The price of a model. Raises `LookupError` if it is unknown."""
    kept, read = usage.cache_write_tokens, usage.cache_read_tokens
    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens + kept + read,
        cache_write_tokens=kept,
        cache_read_tokens=read,
        output_tokens=usage.output_tokens,
        web_searches=usage.web_searches,
    )
    return genai_prices.calc_price(counted, model, provider_id="anthropic").total_price


def dearest() -> str:
    """The id of the Anthropic model with the highest prices."""
    models = next(provider.models for provider in providers if provider.id == "anthropic")
    return max(
        (model.id for model in models), key=lambda model: price(model, Usage(1_000_000, 1_000_000))
    )
