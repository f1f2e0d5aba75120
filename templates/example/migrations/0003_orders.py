"""The table of orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_orders"
down_revision = "0002_eventgen"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        # SQLite would make floating point of a decimal: text there.
        sa.Column(
            "amount", sa.Numeric(14, 2).with_variant(sa.String(20), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("note", sa.String()),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_id", sa.Uuid()),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.Column("failure", sa.String()),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("orders")
