"""The parameters of a request to Claude, and those that it can do without."""

import logging
from typing import Any

from streamchat.events import Conversation
from streamchat.options import Choice
from streamchat.settings import Settings
from streamchat.sources.claude.capabilities import Capabilities
from streamchat.sources.claude.errands import sent

logger = logging.getLogger(__name__)

# for all models, and without further tools of Claude's that may run
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


class Parameters:
    """The parameters as the settings have them, as far as each model accepts them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._capabilities = {model: Capabilities(model) for model in settings.offered_models}

    def of(self, choice: Choice) -> Capabilities:
        """The capabilities of the choice's model."""
        return self._capabilities[self.model(choice)]

    def model(self, choice: Choice) -> str:
        return choice.model or self._settings.model

    def basic(
        self, conversation: Conversation, choice: Choice, *, cites: bool = False
    ) -> dict[str, Any]:
        """The parameters of every request."""
        parameters: dict[str, Any] = {
            "model": self.model(choice),
            "max_tokens": self.of(choice).max_tokens(self._settings.max_tokens),
            "messages": sent(conversation, cites=cites),
            "stream": True,
        }
        if system := choice.beside(self._settings.system_prompt):
            parameters["system"] = _blocks(system) if choice.instructions else system[0]
        return parameters

    def counted(self, conversation: Conversation, choice: Choice) -> dict[str, Any]:
        """A request to count tokens, which takes no tools of Claude's own."""
        parameters = self.basic(conversation, choice, cites=self.of(choice).cites)
        del parameters["max_tokens"], parameters["stream"]
        return parameters

    def whole(
        self, conversation: Conversation, choice: Choice, without: set[str], searches: int
    ) -> dict[str, Any]:
        """A request that may have so many searches."""
        optional = self.optional(choice, without, searches)
        cites = bool(optional.pop("citations", False))
        return self.basic(conversation, choice, cites=cites) | optional

    def optional(self, choice: Choice, without: set[str], searches: int) -> dict[str, Any]:
        """The parameters that a request can do without, as far as the model accepts them;
        "citations" are in its documents."""
        capabilities = self.of(choice)
        display = "summarized" if choice.thinking else "omitted"
        effort = capabilities.effort(choice.effort or self._settings.effort)
        parameters: dict[str, Any] = {
            "thinking": {"type": "adaptive", "display": display},
            "output_config": {"effort": effort},
            "cache_control": {"type": "ephemeral"},
        }
        if choice.search and searches:
            domains = self._settings.search_domains
            parameters["tools"] = [{**SEARCH, "max_uses": searches, **domains}]
        if capabilities.cites:
            parameters["citations"] = True
        refused = capabilities.refused | without
        return {name: value for name, value in parameters.items() if name not in refused}

    def refuses_search(self, choice: Choice, without: set[str]) -> bool:
        return "tools" in self.of(choice).refused | without

    def remember(self, choice: Choice, without: set[str]) -> None:
        """Notes parameters without which the model answered."""
        capabilities = self.of(choice)
        if new := without - capabilities.refused:
            names, model = " and ".join(sorted(new)), self.model(choice)
            logger.warning("%s refuses %s, and is asked without.", model, names)
            capabilities.refused |= new

    def close(self) -> None:
        for capabilities in self._capabilities.values():
            capabilities.close()


def _blocks(texts: list[str]) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]
