"""What the contract's tests are made of: services of one channel, and what arrives in them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from runtime.service import Channel, Route, Service, Subscription
from runtime.transport import Incoming, Outcome, Outgoing

from tests.contract.brokers import Broker

SECONDS = 60.0  # for everything that must happen at all


def new_channel() -> Channel:
    """A channel of this test alone."""
    name = f"contract.{uuid.uuid4().hex[:12]}"
    return Channel(name=name, address=name, destination=name)


def new_service(channel: Channel, name: str = "orders", routes: tuple[Route, ...] = ()) -> Service:
    """A service that handles the events of one channel; its name is its group."""
    return Service(
        name=name,
        version="1.0.0",
        package=name,
        broker="",
        transport=None,  # type: ignore[arg-type]  # the test makes it
        subscriptions=(Subscription(f"on-{channel.name}", channel, routes),),
    )


@asynccontextmanager
async def connected(broker: Broker, server: Any, service: Service) -> AsyncIterator[Any]:
    """A transport of the service, with all it needs on the broker."""
    async with broker.connect(server, service) as transport:
        await transport.provision(service.channels, dry_run=False)
        yield transport


def message(channel: Channel, key: str | None, body: str | bytes, **headers: str) -> Outgoing:
    raw = body.encode() if isinstance(body, str) else body
    return Outgoing(channel.destination, key, headers, raw)


async def publish(transport: Any, *messages: Outgoing) -> None:
    """Publish what the broker takes at once."""
    sent = await transport.publish(messages)
    assert [one.outcome for one in sent] == [Outcome.SENT] * len(messages), sent


async def insist(transport: Any, *messages: Outgoing) -> None:
    """Publish as the relay does: again what the broker did not take, until it does."""
    left = list(messages)
    async with asyncio.timeout(SECONDS):
        while left:
            sent = await transport.publish(left)
            assert Outcome.PERMANENT not in {one.outcome for one in sent}, sent
            answers = zip(left, sent, strict=True)
            left = [one for one, answer in answers if answer.outcome is not Outcome.SENT]
            await asyncio.sleep(0.1 if left else 0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


class Inbox:
    """What a service was delivered. `gate` holds it up; `together` is the most calls at once."""

    def __init__(self, *, acknowledge: bool = True) -> None:
        self.messages: list[Incoming] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.together = self.calls = 0
        self.consumer: Any = None
        self._acknowledge = acknowledge

    async def deliver(self, messages: Sequence[Incoming]) -> None:
        self.calls += 1
        self.together = max(self.together, self.calls)
        self.messages += messages
        await self.gate.wait()
        self.calls -= 1
        if self._acknowledge and self.consumer is not None:
            self.consumer.ack(messages)

    async def has(self, number: int) -> list[Incoming]:
        """What was delivered, once there are so many different bodies."""
        await until(lambda: len({m.body for m in self.messages}) >= number)
        return self.messages

    def by_key(self) -> dict[str | None, list[str]]:
        """The bodies of each key in the order they first came."""
        keys: dict[str | None, list[str]] = {}
        for one in self.messages:
            bodies = keys.setdefault(one.key, [])
            if (body := one.body.decode()) not in bodies:
                bodies.append(body)
        return keys


@asynccontextmanager
async def consuming(
    transport: Any, service: Service, *, acknowledge: bool = True
) -> AsyncIterator[Inbox]:
    """The inbox of a service that consumes its channel."""
    inbox = Inbox(acknowledge=acknowledge)
    [subscription] = service.subscriptions
    inbox.consumer = await transport.consume(subscription, service.name, inbox.deliver)
    try:
        yield inbox
    finally:
        await inbox.consumer.close()
