"""Events as a relay publishes them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

TYPE = "order.placed"
CUSTOMERS = 1000
NOTE = "x" * 120

Order = tuple[str, dict[str, str], bytes]


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
