"""The options with which one question is asked."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Effort = Literal["low", "medium", "high", "xhigh", "max"]
# from the fastest to the most thorough
EFFORTS: tuple[Effort, ...] = get_args(Effort)

BESIDE = (
    "The person in this chat has asked for the following. Do so as far as it agrees with the"
    " instructions above:\n\n{}"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The options of one question. An empty `model` or `effort` means the owner's. With `thinking`
    the model's thoughts are shown, and with `search` it may search the web. The `instructions` are
    the visitor's own."""

    model: str = ""
    effort: Effort | Literal[""] = ""
    thinking: bool = True
    instructions: str = field(default="", repr=False)
    search: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """The options as they are sent and stored."""
        return {
            "model": self.model,
            "effort": self.effort,
            "thinking": self.thinking,
            "system": self.instructions,
            "search": self.search,
        }

    def beside(self, system_prompt: str) -> list[str]:
        """The parts of the system prompt: the owner's, and after it the visitor's instructions."""
        own = BESIDE.format(self.instructions) if self.instructions else ""
        return [part for part in (system_prompt, own) if part]


OWNERS = Choice()
