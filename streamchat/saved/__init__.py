"""Saved conversations, for the readers they belong to: a list, their names, and their end."""

from streamchat.saved import routes, summary, versions
from streamchat.saved.shelf import Saved

__all__ = ["Saved", "routes", "summary", "versions"]
