"""A source that needs no key: prepared answers."""

from streamchat.sources.demo.source import Demo

__all__ = ["Demo"]
