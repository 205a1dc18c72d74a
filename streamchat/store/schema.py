"""The tables of the one file, and how a file of an earlier release becomes one of this."""

import sqlite3

# bytes that a row counts beside its text
ROW = 200
# version 0 had no owners
VERSION = 1

PRAGMAS = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = 4194304;
"""
TABLES = (
    "CREATE TABLE IF NOT EXISTS events"
    " (reply TEXT, position INTEGER, events TEXT, at REAL, PRIMARY KEY (reply, position))",
    "CREATE TABLE IF NOT EXISTS tabs (id TEXT PRIMARY KEY, state TEXT, at REAL)",
    "CREATE INDEX IF NOT EXISTS events_at ON events (at)",
    "CREATE INDEX IF NOT EXISTS tabs_at ON tabs (at)",
)
COLUMNS = (
    "ALTER TABLE events ADD COLUMN owner BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE events ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tabs ADD COLUMN owner BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE tabs ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    # the reply that the state refers to
    "ALTER TABLE tabs ADD COLUMN reply TEXT",
    # the tab whose state a copy shows as long as it has none of its own
    "ALTER TABLE tabs ADD COLUMN root TEXT",
    "UPDATE events SET size = 200 + length(CAST(events AS BLOB))",
    "UPDATE tabs SET size = 200 + length(CAST(state AS BLOB)),"
    " reply = CASE WHEN json_valid(state) THEN json_extract(state, '$.reply') END",
    "CREATE INDEX events_owner ON events (owner, at)",
    "CREATE INDEX tabs_owner ON tabs (owner, at)",
    "CREATE INDEX tabs_reply ON tabs (reply)",
    "CREATE INDEX tabs_root ON tabs (root)",
)
HOLDINGS = (
    "CREATE TABLE holdings (owner BLOB PRIMARY KEY, bytes INTEGER NOT NULL)",
    "CREATE INDEX holdings_bytes ON holdings (bytes)",
    "INSERT INTO holdings SELECT owner, SUM(size) FROM"
    " (SELECT owner, size FROM tabs UNION ALL SELECT owner, size FROM events) GROUP BY owner",
)
SALT = ("CREATE TABLE salt (salt BLOB)", "INSERT INTO salt VALUES (randomblob(32))")
ADD = "INSERT INTO holdings VALUES (new.owner, new.size) ON CONFLICT (owner) DO UPDATE SET bytes = bytes + new.size"
TAKE = "UPDATE holdings SET bytes = bytes - old.size WHERE owner = old.owner"


def counted(table: str) -> tuple[str, ...]:
    """Triggers that keep the holdings equal to the sums of the rows."""
    return (
        f"CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN {ADD}; END",
        f"CREATE TRIGGER {table}_dropped AFTER DELETE ON {table} BEGIN {TAKE}; END",
        f"CREATE TRIGGER {table}_changed AFTER UPDATE OF owner, size ON {table} BEGIN {TAKE}; {ADD}; END",
    )


def prepare(file: sqlite3.Connection) -> None:
    """Makes the tables, or brings those of an earlier release up to date, in one transaction."""
    file.executescript(PRAGMAS)
    if version(file) >= VERSION:
        return
    with file:
        file.execute("BEGIN IMMEDIATE")
        # another process may have been faster
        if version(file) < VERSION:
            for statement in (*TABLES, *COLUMNS, *HOLDINGS, *counted("tabs"), *counted("events"), *SALT):
                file.execute(statement)
            file.execute(f"PRAGMA user_version = {VERSION}")


def version(file: sqlite3.Connection) -> int:
    number: int = file.execute("PRAGMA user_version").fetchone()[0]
    return number


def salt(file: sqlite3.Connection) -> bytes:
    """The salt with which this installation hashes its visitors."""
    kept: bytes = file.execute("SELECT salt FROM salt").fetchone()[0]
    return kept
