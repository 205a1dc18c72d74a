"""Saved conversations for their readers: a list, their names, and their deletion."""

from streamchat.saved import routes, sharing, summary, versions
from streamchat.saved.rates import Rates
from streamchat.saved.shelf import Saved

__all__ = ["Rates", "Saved", "routes", "sharing", "summary", "versions"]
