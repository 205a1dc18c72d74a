"""The program's surroundings: its environment, its port, its console and its log."""

__all__ = ["console", "environment", "listener", "logs", "outbound", "qrcode"]
