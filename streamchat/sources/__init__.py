"""What answers: each source is a package. Importing this one loads none of them."""

__all__ = ["claude", "demo", "late"]
