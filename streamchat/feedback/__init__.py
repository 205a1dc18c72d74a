"""Thumbs up and down over HTTP, for the page."""

from streamchat.feedback.routes import routes

__all__ = ["routes"]
