"""The face for programs: HTTP routes and the page that describes them."""

__all__ = ["docs", "options", "routes"]
