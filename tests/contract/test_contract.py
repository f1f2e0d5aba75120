"""What every broker does for a service, whichever it is: the transport against a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from runtime.transport import Outcome

from tests.contract.brokers import Broker, known
from tests.contract.parts import (
    connected,
    consuming,
    insist,
    message,
    new_channel,
    new_service,
    publish,
    until,
)

pytestmark = [pytest.mark.servers, pytest.mark.anyio]

CUTTING = [broker for broker in known() if callable(broker.cut)]


async def test_a_message_arrives_as_it_was_sent(broker: Broker, server: Any) -> None:
    service = new_service(channel := new_channel())
    headers = {"ce_id": "1", "ce_type": "order.placed", "content-type": "application/json"}
    async with connected(broker, server, service) as transport:
        await publish(
            transport,
            message(channel, "Zoë/ключ 鍵 *.>#", bytes(range(256)), **headers),
            message(channel, "a", "", note="naïve ключ 鍵 %41 \\"),
            message(channel, None, "no key"),
        )
        async with consuming(transport, service) as inbox:
            found = {one.key: one for one in await inbox.has(3)}
    binary, empty, keyless = found["Zoë/ключ 鍵 *.>#"], found["a"], found[None]
    assert (binary.body, dict(binary.headers)) == (bytes(range(256)), headers)
    assert (empty.body, dict(empty.headers)) == (b"", {"note": "naïve ключ 鍵 %41 \\"})
    assert (keyless.body, dict(keyless.headers)) == (b"no key", {})
    assert {one.destination for one in found.values()} == {channel.destination}
    assert len({one.origin for one in found.values()}) == 3


async def test_messages_of_a_key_arrive_in_their_order(broker: Broker, server: Any) -> None:
    service = new_service(channel := new_channel())
    keys = [f"key-{number}" for number in range(10)]
    async with (
        connected(broker, server, service) as transport,
        consuming(transport, service) as inbox,
    ):
        for number in range(20):
            await publish(transport, *[message(channel, key, f"{key}/{number}") for key in keys])
        await inbox.has(200)
    assert inbox.by_key() == {key: [f"{key}/{n}" for n in range(20)] for key in keys}


async def test_what_was_not_acknowledged_comes_again_in_its_order(
    broker: Broker, server: Any
) -> None:
    service = new_service(channel := new_channel())
    async with connected(broker, server, service) as transport:
        for number in range(6):
            await publish(transport, message(channel, "a", f"{number}"))
        async with consuming(transport, service, acknowledge=False) as inbox:
            messages = await inbox.has(6)
            # The fifth is done, but the fourth before it is not: it may come again.
            inbox.consumer.ack([*messages[:3], messages[4]])
            inbox.consumer.ack(messages[:1])  # and saying so twice does no harm
        async with consuming(transport, service) as again:
            await until(lambda: again.messages[-1:] != [] and again.messages[-1].body == b"5")
    bodies = [one.body.decode() for one in again.messages]
    assert bodies in (["3", "5"], ["3", "4", "5"])


async def test_every_group_has_all_messages_and_one_of_its_members_each(
    broker: Broker, server: Any
) -> None:
    channel = new_channel()
    orders, billing = new_service(channel), new_service(channel, "billing")
    bodies = {f"{number}" for number in range(60)}
    async with (
        connected(broker, server, orders) as first,
        connected(broker, server, orders) as second,
        connected(broker, server, billing) as other,
        consuming(first, orders) as one,
        consuming(second, orders) as two,
        consuming(other, billing) as all_,
    ):
        await publish(first, *[message(channel, body, body) for body in sorted(bodies)])
        await all_.has(60)
        await until(lambda: len({m.body for m in one.messages + two.messages}) == 60)
    assert set(all_.by_key()) == bodies
    assert set(one.by_key()) | set(two.by_key()) == bodies


async def test_a_consumer_that_is_slow_is_waited_for(broker: Broker, server: Any) -> None:
    """One delivery at a time, and what lies behind stays with the broker or in its client."""
    service = new_service(channel := new_channel())
    async with (
        connected(broker, server, service) as transport,
        consuming(transport, service) as inbox,
    ):
        inbox.gate.clear()
        for part in range(10):
            wave = [f"{100 * part + number}" for number in range(100)]
            await publish(transport, *[message(channel, body, body * 200) for body in wave])
        await until(lambda: bool(inbox.messages))
        await asyncio.sleep(0.5)
        taken = len(inbox.messages)
        assert taken < 1000
        assert inbox.together == 1
        inbox.gate.set()
        await inbox.has(1000)
    assert len(inbox.messages) == 1000
    assert inbox.together == 1


async def test_a_large_message_is_taken_and_a_larger_one_refused_alone(
    broker: Broker, server: Any
) -> None:
    service = new_service(channel := new_channel())
    async with connected(broker, server, service) as transport:
        messages = [message(channel, "a", b"\x01" * broker.fits), message(channel, "b", "small")]
        if broker.too_large is not None:
            messages.append(message(channel, "c", b"\x02" * broker.too_large))
        *taken, last = await transport.publish(messages)
        assert {sent.outcome for sent in taken} == {Outcome.SENT}
        assert last.outcome is (Outcome.SENT if broker.too_large is None else Outcome.PERMANENT)
        assert bool(last.reason) is (broker.too_large is not None)
        async with consuming(transport, service) as inbox:
            found = {one.key: one.body for one in await inbox.has(2)}
    assert found == {"a": b"\x01" * broker.fits, "b": b"small"}


async def test_a_server_that_is_killed_and_comes_back(broker: Broker, own_server: Any) -> None:
    service = new_service(channel := new_channel())
    keys = [f"key-{number}" for number in range(10)]
    async with connected(broker, own_server, service):
        await asyncio.to_thread(broker.settle, own_server)
    async with (
        connected(broker, own_server, service) as transport,
        consuming(transport, service) as inbox,
    ):
        for number in range(5):
            await publish(transport, *[message(channel, key, f"{key}/{number}") for key in keys])
        await until(lambda: len(inbox.messages) > 10)
        await asyncio.to_thread(own_server.kill)
        away = await transport.publish([message(channel, keys[0], f"{keys[0]}/5")])
        assert [sent.outcome for sent in away] == [Outcome.TRANSIENT]
        assert not await transport.healthy()
        await asyncio.to_thread(own_server.restart)
        for number in range(5, 10):
            await insist(transport, *[message(channel, key, f"{key}/{number}") for key in keys])
        await inbox.has(100)
        assert await transport.healthy()
    assert inbox.by_key() == {key: [f"{key}/{n}" for n in range(10)] for key in keys}


@pytest.mark.parametrize("broker", CUTTING, ids=lambda broker: broker.name)
async def test_connections_that_the_server_closes(broker: Broker, server: Any) -> None:
    assert callable(broker.cut)
    service = new_service(channel := new_channel())
    async with (
        connected(broker, server, service) as transport,
        consuming(transport, service) as inbox,
    ):
        for number in range(20):
            await insist(transport, message(channel, "a", f"{number}"))
            if number in (5, 12):
                await asyncio.to_thread(broker.cut, server)
        await inbox.has(20)
    assert inbox.by_key() == {"a": [f"{number}" for number in range(20)]}


async def test_after_a_pause_nothing_is_lost(broker: Broker, server: Any) -> None:
    service = new_service(channel := new_channel())
    async with connected(broker, server, service) as transport:
        async with consuming(transport, service) as inbox:
            await publish(transport, message(channel, "a", "0"))
            await inbox.has(1)
            await inbox.consumer.pause()
            await publish(transport, message(channel, "a", "1"))
            await asyncio.sleep(0.3)
            assert [one.body for one in inbox.messages] == [b"0"]
        async with consuming(transport, service) as successor:
            await successor.has(1)
            assert [one.body for one in successor.messages] == [b"1"]


async def test_provisioning_twice_changes_nothing_and_a_dry_run_never_does(
    broker: Broker, server: Any
) -> None:
    service = new_service(channel := new_channel())
    async with broker.connect(server, service) as transport:
        planned = await transport.provision(service.channels, dry_run=True)
        assert not any(change.done for change in planned)
        made = await transport.provision(service.channels, dry_run=False)
        assert [change.action for change in made] == [change.action for change in planned]
        assert all(change.done for change in made)
        assert await transport.provision([channel], dry_run=False) == []


async def test_the_lag_is_what_was_not_acknowledged(broker: Broker, server: Any) -> None:
    service = new_service(channel := new_channel())
    [subscription] = service.subscriptions
    async with connected(broker, server, service) as transport:
        await publish(transport, *[message(channel, f"{n}", f"{n}") for n in range(7)])

        async def behind() -> int:
            return sum(part.lag for part in await transport.lags(subscription, service.name))

        async with asyncio.timeout(20):
            while await behind() != 7:
                await asyncio.sleep(0.1)
            async with consuming(transport, service) as inbox:
                await inbox.has(7)
            while await behind() != 0:
                await asyncio.sleep(0.1)
