"""The program's surroundings: its environment, its port, its console, its log, and JSON."""

__all__ = ["console", "environment", "listener", "logs", "outbound", "pieces", "qrcode"]
