"""A source that needs no key: prepared answers."""

from streamchat.sources.demo.source import EXAMPLES, Demo

__all__ = ["EXAMPLES", "Demo"]
