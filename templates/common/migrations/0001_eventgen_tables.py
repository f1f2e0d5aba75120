"""The tables of the outbox, the inbox and the parked events.

They are the runtime's own: read them, but let nothing else write to them. Ids and times are the
database's, so that several processes agree on them.
"""

from __future__ import annotations

from alembic import op

revision = "0001_eventgen"
down_revision = None
branch_labels = None
depends_on = None

POSTGRESQL = (
    # `id` orders the events of one key. Rows come and go: vacuum by count, not by share, or a
    # burst leaves the relay to search through what is long gone.
    """
    CREATE TABLE outbox (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      lane smallint NOT NULL,
      event_id uuid NOT NULL,
      type text NOT NULL,
      destination text NOT NULL,
      key text,
      headers jsonb NOT NULL,
      body bytea NOT NULL,
      status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'poison')),
      attempts int NOT NULL DEFAULT 0,
      last_error text,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
            autovacuum_vacuum_cost_delay = 0)
    """,
    "CREATE INDEX outbox_poison ON outbox (id) WHERE status = 'poison'",
    # A relay leases lanes. An event's lane is a hash of its key: 64 of them, for good.
    """
    CREATE TABLE outbox_lane (
      lane smallint PRIMARY KEY,
      owner uuid,
      lease_until timestamptz NOT NULL DEFAULT '-infinity'
    )
    """,
    "CREATE TABLE outbox_relay (owner uuid PRIMARY KEY, lease_until timestamptz NOT NULL)",
    """
    CREATE TABLE inbox (
      consumer text NOT NULL,
      event_id uuid NOT NULL,
      handled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (consumer, event_id)
    )
    """,
    "CREATE INDEX inbox_handled_at ON inbox (handled_at)",
    # `seq` orders the parked events of one key. Only the first of a key is ever tried.
    """
    CREATE TABLE parked (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      consumer text NOT NULL,
      event_id uuid NOT NULL,
      key text NOT NULL,
      type text NOT NULL,
      headers jsonb NOT NULL,
      body bytea NOT NULL,
      origin text NOT NULL,
      status text NOT NULL CHECK (status IN ('retry', 'waiting', 'dead')),
      reason text NOT NULL,
      error text NOT NULL,
      attempts int NOT NULL,
      first_failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      next_at timestamptz NOT NULL,
      UNIQUE (consumer, event_id)
    )
    """,
    "CREATE INDEX parked_key ON parked (consumer, key, seq)",
    "CREATE INDEX parked_due ON parked (consumer, next_at) WHERE status = 'retry'",
    "CREATE INDEX parked_waiting ON parked (consumer, key) WHERE status = 'waiting'",
    "INSERT INTO outbox_lane (lane) SELECT generate_series(0, 63)",
)

# Times are text in UTC, `2026-01-31 23:59:59.999`: they sort, and a person can read them.
# AUTOINCREMENT: an id must never be given out twice, not even after its row was deleted.
SQLITE = (
    """
    CREATE TABLE outbox (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      lane INTEGER NOT NULL,
      event_id TEXT NOT NULL,
      type TEXT NOT NULL,
      destination TEXT NOT NULL,
      key TEXT,
      headers TEXT NOT NULL,
      body BLOB NOT NULL,
      status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'poison')),
      attempts INTEGER NOT NULL DEFAULT 0,
      last_error TEXT,
      created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    )
    """,
    "CREATE INDEX outbox_poison ON outbox (id) WHERE status = 'poison'",
    """
    CREATE TABLE outbox_lane (
      lane INTEGER PRIMARY KEY,
      owner TEXT,
      lease_until TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE TABLE outbox_relay (owner TEXT PRIMARY KEY, lease_until TEXT NOT NULL)",
    """
    CREATE TABLE inbox (
      consumer TEXT NOT NULL,
      event_id TEXT NOT NULL,
      handled_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
      PRIMARY KEY (consumer, event_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX inbox_handled_at ON inbox (handled_at)",
    """
    CREATE TABLE parked (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      consumer TEXT NOT NULL,
      event_id TEXT NOT NULL,
      key TEXT NOT NULL,
      type TEXT NOT NULL,
      headers TEXT NOT NULL,
      body BLOB NOT NULL,
      origin TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('retry', 'waiting', 'dead')),
      reason TEXT NOT NULL,
      error TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      first_failed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
      next_at TEXT NOT NULL,
      UNIQUE (consumer, event_id)
    )
    """,
    "CREATE INDEX parked_key ON parked (consumer, key, seq)",
    """
    WITH RECURSIVE lanes (lane) AS (SELECT 0 UNION ALL SELECT lane + 1 FROM lanes LIMIT 64)
    INSERT INTO outbox_lane (lane) SELECT lane FROM lanes
    """,
)


def upgrade() -> None:
    """Create the tables; the outbox's lanes are rows."""
    for statement in POSTGRESQL if op.get_context().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables, with whatever is still in them."""
    for table in ("parked", "inbox", "outbox_relay", "outbox_lane", "outbox"):
        op.drop_table(table)
