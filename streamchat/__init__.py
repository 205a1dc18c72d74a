"""StreamChat: a streaming chat with Claude in which a reply is a log.

`run` serves a chat, and `create` puts one together. The other names are those that a source of
answers needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamchat.chat import Source
    from streamchat.errors import ChatError, SourceFailed
    from streamchat.events import Done, Event, Message, Request, Text, Thinking, Usage
    from streamchat.settings import Settings
    from streamchat.start import create, run

__all__ = [
    "ChatError",
    "Done",
    "Event",
    "Message",
    "Request",
    "Settings",
    "Source",
    "SourceFailed",
    "Text",
    "Thinking",
    "Usage",
    "create",
    "run",
]

HOMES = {
    "run": "start",
    "create": "start",
    "Settings": "settings",
    "Source": "chat",
    "ChatError": "errors",
    "SourceFailed": "errors",
}


def __getattr__(name: str) -> Any:
    """Imports a name on first use: Gradio takes seconds to load, and needs the environment in order
    first."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES.get(name, 'events')}"), name)
