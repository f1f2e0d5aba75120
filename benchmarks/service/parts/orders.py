"""Events as a relay publishes them, and what everybody does with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel

TYPE = "order.placed"
CUSTOMERS = 1000
NOTE = "x" * 120

CLAIM = "INSERT INTO inbox (consumer, event_id) VALUES ('bench', $1) ON CONFLICT DO NOTHING"
EFFECT = "INSERT INTO effects (customer, number) VALUES ($1, $2)"

Order = tuple[str, dict[str, str], bytes]


class OrderPlaced(BaseModel):
    order_id: UUID
    customer: str
    number: int
    placed_at: str
    note: str


async def handle(pool: Any, event_id: str, event: OrderPlaced) -> None:
    """Inbox and effect in one transaction, through a pool of asyncpg's."""
    async with pool.acquire() as connection, connection.transaction():
        if await connection.execute(CLAIM, UUID(event_id)) == "INSERT 0 1":
            await connection.execute(EFFECT, event.customer, event.number)


def orders(first: int, many: int) -> Iterator[Order]:
    """So many of them: key, headers and body."""
    for number in range(first, first + many):
        customer = f"customer-{number % CUSTOMERS}"
        body = (
            f'{{"order_id":"{uuid4()}","customer":"{customer}","number":{number},'
            f'"placed_at":"2026-01-31T12:00:00.000000Z","note":"{NOTE}"}}'
        )
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(uuid4()),
            "ce_type": TYPE,
            "ce_source": "bench",
            "content-type": "application/json",
            "ce_time": "2026-01-31T12:00:00.000000Z",
            "ce_eventversion": "1.0.0",
            "ce_partitionkey": customer,
            "ce_correlationid": str(uuid4()),
        }
        yield customer, headers, body.encode()
