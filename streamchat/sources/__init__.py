"""The sources of answers, each a package. Importing this one loads none of them."""

__all__ = ["claude", "demo", "lazy"]
