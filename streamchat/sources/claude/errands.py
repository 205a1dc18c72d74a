"""The requests to Claude for the program's own errands."""

from typing import Any

from streamchat.events import Conversation, Errand
from streamchat.sources.claude.content import content


def parameters(errand: Errand, conversation: Conversation) -> dict[str, Any]:
    """The request's parameters. Nothing is cached, because nothing is sent again; thoughts would
    use up the few tokens."""
    return {
        "model": errand.model,
        "max_tokens": errand.max_tokens,
        "system": errand.system,
        "messages": sent(conversation),
        "thinking": {"type": "disabled"},
        "output_config": {"effort": "low"},
        "stream": True,
    }


def sent(conversation: Conversation, *, cites: bool = False) -> list[dict[str, Any]]:
    """The messages in the form of Claude's API."""
    return [
        {"role": message.role, "content": content(message, cites=cites)} for message in conversation
    ]
