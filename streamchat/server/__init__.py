"""The whole app: `create(settings)` puts it together, and its `launch` serves it on a port."""

from streamchat.server.app import Running, StreamChat
from streamchat.server.parts import create

__all__ = ["Running", "StreamChat", "create"]
