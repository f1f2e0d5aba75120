"""The service's own tables. `metadata` is what Alembic compares the database with."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import DateTime, Dialect, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

Status = Literal["placed", "payment_failed", "paid"]


class DecimalText(TypeDecorator[Decimal]):
    """A decimal as text, for SQLite, whose own numbers would round it."""

    impl = String(20)
    cache_ok = True

    @override
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """The text of a decimal."""
        return None if value is None else str(value)

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """The decimal in a text."""
        return None if value is None else Decimal(value)


Amount = Numeric(14, 2).with_variant(DecimalText(), "sqlite")


class Base(DeclarativeBase):
    """What every table of this service derives from."""


class Order(Base):
    """What a customer ordered, and whether it is paid."""

    __tablename__ = "orders"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    amount: Mapped[Decimal] = mapped_column(Amount)
    currency: Mapped[str] = mapped_column(String(3))
    note: Mapped[str | None]
    status: Mapped[Status] = mapped_column(String(16))
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    payment_id: Mapped[UUID | None]  # the payment that paid for it
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failure: Mapped[str | None]  # why the last attempt to pay failed


metadata = Base.metadata
