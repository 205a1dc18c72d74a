"""Claude as a source, through the official SDK. Importing it takes a second."""

from streamchat.sources.claude.source import Claude

__all__ = ["Claude"]
