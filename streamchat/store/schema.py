"""The tables of the file, and the migrations from earlier releases' files."""

from collections.abc import Callable, Sequence

from streamchat.store.seams import Transaction
from streamchat.store.search import index_anew

# bytes that a row counts beside its text
ROW = 200

ADD = (
    "INSERT INTO holdings VALUES (new.owner, new.size) ON CONFLICT (owner) DO UPDATE SET bytes ="
    " bytes + new.size"
)
TAKE = "UPDATE holdings SET bytes = bytes - old.size WHERE owner = old.owner"


def counted(table: str) -> tuple[str, ...]:
    """Triggers that keep the holdings equal to the sums of the rows' sizes."""
    return (
        f"CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN {ADD}; END",
        f"CREATE TRIGGER {table}_dropped AFTER DELETE ON {table} BEGIN {TAKE}; END",
        (
            f"CREATE TRIGGER {table}_changed AFTER UPDATE OF owner, size ON {table} BEGIN {TAKE};"
            f" {ADD}; END"
        ),
    )


REPLIES_AND_TABS = (
    (
        "CREATE TABLE IF NOT EXISTS events"
        " (reply TEXT, position INTEGER, events TEXT, at REAL, PRIMARY KEY (reply, position))"
    ),
    "CREATE TABLE IF NOT EXISTS tabs (id TEXT PRIMARY KEY, state TEXT, at REAL)",
    "CREATE INDEX IF NOT EXISTS events_at ON events (at)",
    "CREATE INDEX IF NOT EXISTS tabs_at ON tabs (at)",
)
OWNERS = (
    "ALTER TABLE events ADD COLUMN owner BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE events ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE tabs ADD COLUMN owner BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE tabs ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    # the reply that the state refers to
    "ALTER TABLE tabs ADD COLUMN reply TEXT",
    # the tab whose state a copy shows as long as it has none of its own
    "ALTER TABLE tabs ADD COLUMN root TEXT",
    "UPDATE events SET size = 200 + length(CAST(events AS BLOB))",
    (
        "UPDATE tabs SET size = 200 + length(CAST(state AS BLOB)),"
        " reply = CASE WHEN json_valid(state) THEN json_extract(state, '$.reply') END"
    ),
    "CREATE INDEX events_owner ON events (owner, at)",
    "CREATE INDEX tabs_owner ON tabs (owner, at)",
    "CREATE INDEX tabs_reply ON tabs (reply)",
    "CREATE INDEX tabs_root ON tabs (root)",
)
HOLDINGS = (
    "CREATE TABLE holdings (owner BLOB PRIMARY KEY, bytes INTEGER NOT NULL)",
    "CREATE INDEX holdings_bytes ON holdings (bytes)",
    (
        "INSERT INTO holdings SELECT owner, SUM(size) FROM"
        " (SELECT owner, size FROM tabs UNION ALL SELECT owner, size FROM events) GROUP BY owner"
    ),
    *counted("tabs"),
    *counted("events"),
)
SALT = ("CREATE TABLE salt (salt BLOB)", "INSERT INTO salt VALUES (randomblob(32))")
# earlier releases made these when they first used them
MONEY_AND_REPORTS = (
    (
        "CREATE TABLE IF NOT EXISTS spending (reply TEXT PRIMARY KEY, day INTEGER, visitor BLOB,"
        " micros INTEGER)"
    ),
    "CREATE INDEX IF NOT EXISTS spending_day ON spending (day)",
    "CREATE TABLE IF NOT EXISTS visitor_key (day INTEGER PRIMARY KEY, key BLOB)",
    (
        "CREATE TABLE IF NOT EXISTS journal (at REAL, model TEXT, reason TEXT, failed INTEGER,"
        " words INTEGER, first_word REAL, speed REAL, cost REAL)"
    ),
    "CREATE INDEX IF NOT EXISTS journal_at ON journal (at)",
    "CREATE TABLE IF NOT EXISTS pause (since REAL)",
)
ASSUMED = "ALTER TABLE journal ADD COLUMN assumed REAL NOT NULL DEFAULT 0"


CONVERSATIONS = (
    (
        "CREATE TABLE conversations (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
        " reader TEXT NOT NULL, title TEXT NOT NULL, named INTEGER NOT NULL DEFAULT 0,"
        " at REAL NOT NULL, deleted REAL, shared TEXT UNIQUE, snapshot TEXT,"
        " owner BLOB NOT NULL, size INTEGER NOT NULL)"
    ),
    "CREATE INDEX conversations_reader ON conversations (reader, at)",
    "CREATE INDEX conversations_deleted ON conversations (deleted)",
    "CREATE VIRTUAL TABLE words USING fts5 (title, text, tokenize = 'unicode61')",
    *counted("conversations"),
    (
        "CREATE TRIGGER tabs_of_conversations_dropped AFTER DELETE ON tabs BEGIN"
        " DELETE FROM conversations WHERE id = old.id; END"
    ),
    (
        "CREATE TRIGGER words_dropped AFTER DELETE ON conversations BEGIN"
        " DELETE FROM words WHERE rowid = old.number; END"
    ),
)


def give_owners(transaction: Transaction) -> None:
    """Version 1: each row of a conversation has an owner and a size."""
    for statement in (*REPLIES_AND_TABS, *OWNERS, *HOLDINGS, *SALT):
        transaction.execute(statement)


def unite(transaction: Transaction) -> None:
    """Version 2: the tables of spending, journal and pause are created here."""
    for statement in MONEY_AND_REPORTS:
        transaction.execute(statement)
    columns = transaction.execute("SELECT name FROM pragma_table_info('journal')").fetchall()
    if ("assumed",) not in columns:
        transaction.execute(ASSUMED)


def keep_adjustments(transaction: Transaction) -> None:
    """Version 3: the settings that the owner has changed."""
    transaction.execute("CREATE TABLE adjustments (name TEXT PRIMARY KEY, value TEXT NOT NULL)")


def keep_conversations(transaction: Transaction) -> None:
    """Version 4: a tab's state can be a saved conversation, with a title and a reader."""
    for statement in CONVERSATIONS:
        transaction.execute(statement)


def keep_votes(transaction: Transaction) -> None:
    """Version 5: readers' votes on answers."""
    transaction.execute(
        "CREATE TABLE votes (answer BLOB PRIMARY KEY, at REAL NOT NULL, up INTEGER NOT NULL,"
        " words TEXT NOT NULL)"
    )
    transaction.execute("CREATE INDEX votes_at ON votes (at)")


def part_letters(transaction: Transaction) -> None:
    """Version 6: searches find words in languages that have no spaces between them."""
    index_anew(transaction)


FILES = (
    (
        "CREATE TABLE files (reader TEXT NOT NULL, digest TEXT NOT NULL, at REAL NOT NULL,"
        " fields TEXT NOT NULL, data TEXT NOT NULL, owner BLOB NOT NULL, size INTEGER NOT NULL,"
        " PRIMARY KEY (reader, digest))"
    ),
    "CREATE INDEX files_owner ON files (owner, at)",
    (
        "CREATE TABLE attached (tab TEXT NOT NULL, reader TEXT NOT NULL, digest TEXT NOT NULL,"
        " PRIMARY KEY (tab, digest))"
    ),
    "CREATE INDEX attached_digest ON attached (reader, digest)",
    *counted("files"),
    # the last conversation that has a file takes it along
    (
        "CREATE TRIGGER files_of_tabs_dropped AFTER DELETE ON tabs BEGIN"
        " DELETE FROM files WHERE rowid IN (SELECT files.rowid FROM attached JOIN files"
        " USING (reader, digest) WHERE tab = old.id AND NOT EXISTS (SELECT 1 FROM attached"
        " AS others WHERE others.reader = files.reader AND others.digest = files.digest"
        " AND others.tab <> old.id)); DELETE FROM attached WHERE tab = old.id; END"
    ),
)


def keep_files(transaction: Transaction) -> None:
    """Version 7: files that readers have sent with their messages."""
    for statement in FILES:
        transaction.execute(statement)


def count_searches(transaction: Transaction) -> None:
    """Version 8: the journal has the number of web searches."""
    transaction.execute("ALTER TABLE journal ADD COLUMN searches INTEGER NOT NULL DEFAULT 0")


# each makes a file of the next version, beginning with a file of version 0, which may be empty
MIGRATIONS = (
    give_owners,
    unite,
    keep_adjustments,
    keep_conversations,
    keep_votes,
    part_letters,
    keep_files,
    count_searches,
)
VERSION = len(MIGRATIONS)
Migration = Callable[[Transaction], None]


def version(transaction: Transaction) -> int:
    number: int = transaction.execute("PRAGMA user_version").fetchone()[0]
    return number


def migrate(transaction: Transaction, migrations: Sequence[Migration] = MIGRATIONS) -> bool:
    """Brings a file to the next version. Returns false if it has the present one already."""
    found = version(transaction)
    if found >= len(migrations):
        return False
    migrations[found](transaction)
    transaction.execute(f"PRAGMA user_version = {found + 1}")
    return True


def salt(transaction: Transaction) -> bytes:
    """The salt that this installation hashes its visitors with."""
    kept: bytes = transaction.execute("SELECT salt FROM salt").fetchone()[0]
    return kept
