"""A service that is allowed what it exports and no more: what it is, and that it works."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.runtime import importable

importable()

from pydantic import BaseModel  # noqa: E402  - `runtime` was assembled just now
from runtime.service import Channel, EventType, Publication, Service, Subscription  # noqa: E402
from runtime.transport import Incoming, Outcome, Outgoing  # noqa: E402

SECONDS = 20.0


def service(publishes: str, consumes: str, *, name: str = "orders", **options: Any) -> Service:
    """A service with one event out, whose channel has these options, and one in."""
    event = EventType(publishes, "1.0.0", BaseModel, ())
    out, into = Channel(publishes, publishes, publishes, options=options), channel(consumes)
    subscription = Subscription("in", into, ())
    return Service(name, "1", name, "", None, (Publication(event, out),), (subscription,))  # type: ignore[arg-type]


def channel(destination: str) -> Channel:
    """A channel that is called as its destination."""
    return Channel(destination, destination, destination)


async def works(own: Any, other: Any, of: Service, *, fill: str = "") -> None:
    """The service publishes its event and consumes that of another one, with its own rights.

    `own` and `other` are transports, of which the other's may do everything; both are closed.
    `fill` stands for the parameters of what is published.
    """
    found: list[Incoming] = []

    async def deliver(messages: Any) -> None:
        found.extend(messages)

    [publication], [subscription] = of.publications, of.subscriptions
    out = publication.channel.destination.replace("{shop}", fill)
    try:
        await other.start()
        await other.provision([publication.channel, subscription.channel], dry_run=False)
        await own.start()
        assert await own.healthy()
        [published] = await own.publish([Outgoing(out, "k", {}, b"1")])
        assert published.outcome is Outcome.SENT, published
        consumer = await own.consume(subscription, of.name, deliver)
        try:
            into = subscription.channel.destination
            [sent] = await other.publish([Outgoing(into, "k", {}, b"2")])
            assert sent.outcome is Outcome.SENT, sent
            async with asyncio.timeout(SECONDS):
                while not found:
                    await asyncio.sleep(0.02)
            assert found[0].body == b"2"
            consumer.ack(found)
        finally:
            await consumer.close()
        assert sum(lag.lag for lag in await own.lags(subscription, of.name)) == 0
    finally:
        await own.close()
        await other.close()
