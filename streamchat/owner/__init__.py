"""The face for the owner: spending and running replies."""

__all__ = ["routes"]
