"""All data that survives a restart, and all SQL: one file, its tables, and their rows."""

from streamchat.store import (
    adjustments,
    conversations,
    files,
    filing,
    journal,
    naming,
    pause,
    shares,
    spending,
    votes,
)
from streamchat.store.conversations import Card
from streamchat.store.database import NAME, Store
from streamchat.store.seams import TooNew, Transaction
from streamchat.store.tabs import KEPT_LOGS, State
from streamchat.store.values import restored

__all__ = [
    "KEPT_LOGS",
    "NAME",
    "Card",
    "State",
    "Store",
    "TooNew",
    "Transaction",
    "adjustments",
    "conversations",
    "files",
    "filing",
    "journal",
    "naming",
    "pause",
    "restored",
    "shares",
    "spending",
    "votes",
]
