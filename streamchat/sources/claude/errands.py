"""What is sent to Claude for an errand."""

from typing import Any

from streamchat.events import Conversation, Errand
from streamchat.sources.claude.content import content


def parameters(errand: Errand, conversation: Conversation) -> dict[str, Any]:
    """Nothing is cached, for nothing of it is sent again. Thoughts would use up the few tokens."""
    return {
        "model": errand.model,
        "max_tokens": errand.max_tokens,
        "system": errand.system,
        "messages": sent(conversation),
        "thinking": {"type": "disabled"},
        "output_config": {"effort": "low"},
        "stream": True,
    }


def sent(conversation: Conversation) -> list[dict[str, Any]]:
    """The messages as Claude takes them."""
    return [{"role": message.role, "content": content(message)} for message in conversation]
