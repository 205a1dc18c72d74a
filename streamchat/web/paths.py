"""Paths below the prefix under which a proxy may serve the chat."""

from urllib.parse import urlsplit

from starlette.types import Scope


def path_of(scope: Scope) -> str:
    """The path of a route, whether or not a proxy has removed the prefix."""
    prefix, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return str(path)


def address_of(scope: Scope, path: str) -> str:
    """The path in the browser's address bar."""
    return urlsplit(scope.get("root_path", "")).path.rstrip("/") + path
