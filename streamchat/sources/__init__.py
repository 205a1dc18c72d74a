"""The sources of answers, one package each. Importing this package loads none of them."""

__all__ = ["claude", "demo", "lazy"]
