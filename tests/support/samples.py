"""A small service, as the generator would describe it, and rows for its outbox."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from pydantic import MISSING, BaseModel, ConfigDict, Field

from tests.support.runtime import importable

importable()

from runtime.database import OutboxRow  # noqa: E402  - assembled just now
from runtime.envelope import uuid7  # noqa: E402
from runtime.service import Channel, EventType, Publication, Route, Service, Subscription  # noqa: E402


class Money(BaseModel):
    amount: Decimal
    currency: str


class OrderPlaced(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    order_id: UUID = Field(alias="orderId")
    total: Money
    note: str | MISSING = MISSING  # type: ignore[valid-type]  # a sentinel, which mypy cannot know


class StockMoved(BaseModel):
    region: str | MISSING = MISSING  # type: ignore[valid-type]
    sku: str | None = None
    item: dict[str, Any] | MISSING = MISSING  # type: ignore[valid-type]


class Unknown(BaseModel):
    n: int = 1


ORDER_PLACED = EventType("order.placed", "1.2.0", OrderPlaced, ("orderId",))
STOCK_MOVED = EventType("stock.moved", "1.0.0", StockMoved, ("sku",))
ORDERS = Channel("orders", "orders", "orders")
STOCK = Channel(
    "stock", "stock/{region}/{site}", "stock.{region}.{site}", {"region": ("region",), "site": ()}
)


async def ignore(event: Any, context: Any) -> None:
    """A handler."""


def nothing(*_: Any) -> Any:
    raise AssertionError


SERVICE = Service(
    name="shop",
    version="1.0.0",
    package="shop",
    broker="embedded",
    transport=nothing,
    publications=(Publication(ORDER_PLACED, ORDERS), Publication(STOCK_MOVED, STOCK)),
)


def subscription(*events: EventType, channel: Channel = ORDERS) -> Subscription:
    routes = tuple(Route(event, ignore) for event in events or (ORDER_PLACED,))
    return Subscription("shop.orders", channel, routes)


def order(**fields: Any) -> OrderPlaced:
    total = Money(amount=Decimal("12.50"), currency="EUR")
    return OrderPlaced(**{"order_id": uuid4(), "total": total} | fields)


_numbers = count()


def row(key: str | None = "k", body: bytes | None = None, destination: str = "orders") -> OutboxRow:
    """A row for the outbox; its body is a running number unless given."""
    body = b"%d" % next(_numbers) if body is None else body
    return OutboxRow(uuid7(), "order.placed", destination, key, {"ce_id": "x"}, body)
