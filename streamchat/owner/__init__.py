"""The face for the owner: what is spent and running."""

__all__ = ["routes"]
