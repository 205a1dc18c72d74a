"""Paths below the prefix under which a proxy may serve the chat."""

import re
from urllib.parse import urlsplit

from starlette.types import Scope

# conversations that their readers have shared, each behind a token
SHARED = "/shared/"
SHARED_PAGE = re.compile(SHARED + "[A-Za-z0-9_-]{1,64}")


def path_of(scope: Scope) -> str:
    """The path of a route, whether or not a proxy has removed the prefix."""
    prefix, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return str(path)


def address_of(scope: Scope, path: str) -> str:
    """The path in the browser's address bar."""
    return urlsplit(scope.get("root_path", "")).path.rstrip("/") + path


def link_of(scope: Scope, path: str) -> str:
    """The path as a page links to it: relative where the prefix is not known that a proxy has taken
    away."""
    if scope.get("root_path"):
        return address_of(scope, path)
    up = "../" * (path_of(scope).count("/") - 1)
    return (up or "./") + path.removeprefix("/")


def page_of(text: str) -> str:
    """The page that a login leads to: a shared one that was asked for, or else that of the chat."""
    return text if SHARED_PAGE.fullmatch(text) else "/"
