"""What is paused, and the archive of events that were sent.

They are the runtime's own tables, like those before them.
"""

from __future__ import annotations

from alembic import op

revision = "0002_eventgen"
down_revision = "0001_eventgen"
branch_labels = None
depends_on = None

POSTGRESQL = (
    """
    CREATE TABLE subscription_pause (
      consumer text PRIMARY KEY,
      reason text NOT NULL,
      paused_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    # `id` is that of the outbox, so that the order of a key is known here too.
    """
    CREATE TABLE outbox_sent (
      event_id uuid PRIMARY KEY,
      id bigint NOT NULL,
      type text NOT NULL,
      destination text NOT NULL,
      key text,
      headers jsonb NOT NULL,
      body bytea NOT NULL,
      sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX outbox_sent_id ON outbox_sent (id)",
    "CREATE INDEX outbox_sent_at ON outbox_sent (sent_at)",
)

SQLITE = (
    """
    CREATE TABLE subscription_pause (
      consumer TEXT PRIMARY KEY,
      reason TEXT NOT NULL,
      paused_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    )
    """,
    """
    CREATE TABLE outbox_sent (
      event_id TEXT PRIMARY KEY,
      id INTEGER NOT NULL,
      type TEXT NOT NULL,
      destination TEXT NOT NULL,
      key TEXT,
      headers TEXT NOT NULL,
      body BLOB NOT NULL,
      sent_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    )
    """,
    "CREATE INDEX outbox_sent_id ON outbox_sent (id)",
    "CREATE INDEX outbox_sent_at ON outbox_sent (sent_at)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in POSTGRESQL if op.get_context().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables, with whatever is still in them."""
    op.drop_table("outbox_sent")
    op.drop_table("subscription_pause")
