"""An event in each envelope: outbox, relay, broker, inbox, handler, once; broken ones are kept."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel
from runtime import embedded
from runtime.app import App
from runtime.errors import Retry
from runtime.service import Channel, EventType, Publication, Route, Service, Subscription
from runtime.transport import Outgoing
from runtime.wrapping import BINARY, STRUCTURED, Wrapping, none, plain
from sqlalchemy import text

from tests.runtime.tiny import SERVICE, Settings, migrate, until

pytestmark = pytest.mark.anyio


class Shipped(BaseModel):
    """An event that could be an envelope itself."""

    event_id: str
    kind: str
    order_id: str


OWN = none(id=("event_id",), type=("kind",), key=("order_id",))
SHIPMENTS = Channel("shipments", "shipments", "shipments")
# What is in the body that is no event, by envelope; and what it is kept as.
BROKEN = {
    "cloudevents": (b'{"order_id": "o1"', "invalid"),
    "structured": (b'{"order_id": "o1"', "undecodable"),
    "plain": (b'{"id": "1", "name": "order.shipped", "dat', "undecodable"),
    "none": (b'{"event_id": "e1", ', "invalid"),
}


class Handled:
    """A handler whose first attempt at the second order fails."""

    def __init__(self) -> None:
        self.attempts: Counter[str] = Counter()

    async def on_order_shipped(self, event: Shipped, ctx: Any) -> None:
        self.attempts[event.order_id] += 1
        await ctx.db.execute(text("INSERT INTO effect VALUES (:id)"), {"id": event.order_id})
        if event.order_id == "o2" and self.attempts["o2"] == 1:
            raise Retry(after=0.05)


def shipping(wrapping: Wrapping, handled: Handled) -> Service:
    event = EventType("order.shipped", "1.0.0", Shipped, ("order_id",), envelope=wrapping)
    route = Route(event, handled.on_order_shipped)
    return replace(
        SERVICE,
        publications=(Publication(event, SHIPMENTS),),
        subscriptions=(Subscription("shipments", SHIPMENTS, (route,)),),
    )


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(embedded, "COMMIT_EVERY", 0.02)
    return Settings(broker="embedded", database_url=migrate(tmp_path), drain_timeout=5.0)


async def rows(app: App, query: str) -> list[Any]:
    async with app.database.engine.connect() as connection:
        return list((await connection.execute(text(query))).all())


@pytest.mark.parametrize("wrapping", [BINARY, STRUCTURED, plain(), OWN], ids=lambda one: one.name)
async def test_each_event_has_its_effect_once_and_a_broken_one_is_kept_as_it_came(
    settings: Settings, wrapping: Wrapping
) -> None:
    handled = Handled()
    async with App(shipping(wrapping, handled), settings) as app:
        async with app.database.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE effect (id text)"))
        async with app.unit_of_work() as uow:
            ids = [
                uow.publish(Shipped(event_id=f"e{n}", kind="order.shipped", order_id=f"o{n}"))
                for n in range(1, 4)
            ]

        async def effects() -> bool:
            return len(await rows(app, "SELECT id FROM effect")) == 3

        await until(effects)
        # Everything comes again, as after a crash of the relay; and then something broken.
        query = "SELECT destination, key, headers, body FROM embedded_log ORDER BY id"
        sent = [Outgoing(d, k, json.loads(h), b) for d, k, h, b in await rows(app, query)]
        assert len(sent) == 3
        await app.transport.publish(sent)
        body, reason = BROKEN[wrapping.name]
        headers = {k: str(uuid4()) if k == "ce_id" else v for k, v in sent[0].headers.items()}
        await app.transport.publish([Outgoing("shipments", "x", headers, body)])

        async def dead() -> bool:
            return bool(await app.database.list_parked(None, "dead", 10))

        await until(dead)
        [letter] = await app.database.list_parked(None, "dead", 10)
        assert (letter.body, letter.headers, letter.reason) == (body, headers, reason)
        assert sorted(await rows(app, "SELECT id FROM effect")) == [("o1",), ("o2",), ("o3",)]
        assert handled.attempts == {"o1": 1, "o2": 2, "o3": 1}
        inbox = {str(id_) for (id_,) in await rows(app, "SELECT event_id FROM inbox")}
        assert inbox == {str(id_) for id_ in ids}
