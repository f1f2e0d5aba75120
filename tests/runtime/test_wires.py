"""Payloads that are not JSON: on their way to a handler, and where their library is missing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from runtime.avro import AvroWire
from runtime.databases import open_database
from runtime.envelope import Undecodable
from runtime.handling import Handling
from runtime.outbox import Publisher
from runtime.service import Channel, EventType, Publication, Route, Service, Subscription
from runtime.transport import Incoming

from tests.support.generate import run
from tests.support.runtime import create_tables, importable


class Order(BaseModel):
    number: int
    note: str = ""


OLD = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "int"}]}
NEW = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "number", "aliases": ["id"], "type": "long"},
        {"name": "note", "type": "string", "default": "none"},
    ],
}
CHANNEL = Channel("orders", "orders", "orders/{number}", {"number": ("number",)})


WIRE = AvroWire(NEW, {"1.0.0": OLD})
PLACED = EventType("order.placed", "1.1.0", Order, ("number",), "application/avro", wire=WIRE)


SHOP = Service("shop", "1", "shop", "embedded", None, (Publication(PLACED, CHANNEL),))


def test_key_and_address_are_taken_from_what_the_bytes_say() -> None:
    sent = Publisher(SHOP).row(Order(number=7, note="new"))
    assert (sent.key, sent.destination, sent.body) == ("7", "orders/7", b"\x0e\x06new")
    assert sent.headers["content-type"] == "application/avro"


async def handled(folder: Path, body: bytes, headers: dict[str, str]) -> list[Order]:
    """What a handler of the newest version is given."""
    seen: list[Order] = []

    async def on_placed(order: Order, _ctx: Any) -> None:
        seen.append(order)

    database = open_database(f"sqlite+aiosqlite:///{folder}/test.db")
    await create_tables(database)
    subscription = Subscription("shop", CHANNEL, (Route(PLACED, on_placed),))
    handling = Handling(subscription, database, Publisher(SHOP), lambda: None)
    try:
        work = handling.read(Incoming("orders", None, headers, body, "orders/0/1"))
        async with database.transaction() as tx:
            await handling.run(tx, work)
    finally:
        await database.close()
    return seen


def test_the_version_in_the_headers_says_how_an_event_was_written(tmp_path: Path) -> None:
    headers = {"ce_type": "order.placed", "ce_eventversion": "1.0.0"}
    (order,) = asyncio.run(handled(tmp_path, b"\x0e", headers))
    assert order == Order(number=7, note="none")


def test_without_a_version_the_own_schema_is_taken(tmp_path: Path) -> None:
    (order,) = asyncio.run(handled(tmp_path, b"\x0e\x06new", {"ce_type": "order.placed"}))
    assert order == Order(number=7, note="new")


def test_bytes_of_a_version_that_is_not_known_are_never_guessed(tmp_path: Path) -> None:
    headers = {"ce_type": "order.placed", "ce_eventversion": "1.0.9"}
    with pytest.raises(Undecodable, match=r"order\.placed 1\.1\.0: no Avro"):
        asyncio.run(handled(tmp_path, b"\x0e", headers))


@pytest.mark.parametrize(
    ("module", "missing", "line"),
    [
        ("avro", "fastavro", "fastavro>=1.12,<2"),
        ("protobuf", "google.protobuf", "protobuf>=6.31,<8"),
    ],
)
def test_what_is_not_installed_is_named(module: str, missing: str, line: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import runtime.{module}"
    path = {"PYTHONPATH": str(importable())}
    found = run(sys.executable, "-c", code, cwd=importable(), env=path)
    assert found.returncode == 1
    assert f"add `{line}` to the dependencies in pyproject.toml" in found.stderr.splitlines()[-1]
