"""What survives a restart: one SQLite file."""

from streamchat.store.database import NAME, State, Store

__all__ = ["NAME", "State", "Store"]
