"""Files that readers of the page send with their messages."""

from streamchat.uploads.routes import PATH, routes

__all__ = ["PATH", "routes"]
