"""What the Redis transport does beyond what every broker does, against a real server."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from runtime import redis_consumer, redis_state
from runtime.errors import ConfigurationError
from runtime.redis import RedisSettings, RedisTransport
from runtime.service import Channel, Service, Subscription
from runtime.transport import Incoming, Outcome, Outgoing, Sent
from sqlalchemy import text

from tests.servers.redis import RedisServer
from tests.support.databases import shared_database

SECONDS = 30.0
servers = pytest.mark.servers


def service(destination: str, name: str = "orders") -> Service:
    channel = Channel(name=destination, address=destination, destination=destination)
    subscription = Subscription("on", channel, ())
    return Service(name, "1", name, "", None, subscriptions=(subscription,))  # type: ignore[arg-type]


@pytest.fixture
def of() -> Service:
    return service(f"order.{uuid.uuid4().hex[:12]}")


@asynccontextmanager
async def running(server: RedisServer, of: Service, **values: Any) -> AsyncIterator[RedisTransport]:
    settings = RedisSettings(**({"url": server.url, "partitions": 2} | values))
    async with shared_database(of) as database:
        transport = RedisTransport(of, database, settings)
        try:
            await transport.start()
            yield transport
        finally:
            await transport.close()


def outgoing(of: Service, key: str | None, body: bytes = b"x", **headers: str) -> Outgoing:
    return Outgoing(of.channels[0].destination, key, headers, body)


async def publish(transport: Any, of: Service, *keys: str) -> Sequence[Sent]:
    sent: Sequence[Sent] = await transport.publish([outgoing(of, k, k.encode()) for k in keys])
    return sent


def outcomes(sent: Sequence[Sent]) -> list[Outcome]:
    return [one.outcome for one in sent]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def consumed(
    transport: Any, of: Service, *, acknowledge: bool = True
) -> AsyncIterator[list[Incoming]]:
    found: list[Incoming] = []
    consumer: Any = None

    async def deliver(messages: Any) -> None:
        await until(lambda: consumer is not None)
        found.extend(messages)
        if acknowledge:
            consumer.ack(messages)

    [subscription] = of.subscriptions
    consumer = await transport.consume(subscription, of.name, deliver)
    try:
        yield found
    finally:
        await consumer.close()


async def stands(transport: Any, of: Service, **expected: int) -> None:
    """Wait until the group has come so far, all partitions together."""
    [subscription] = of.subscriptions
    async with asyncio.timeout(SECONDS):
        while True:
            lags = await transport.lags(subscription, of.name)
            found = {name: sum(getattr(part, name) for part in lags) for name in expected}
            if found == expected:
                return
            await asyncio.sleep(0.05)


def streams(client: Any, of: Service) -> list[str]:
    base = f"events:{of.channels[0].destination}"
    return [f"{base}:{n}" for n in range(int(client.get(f"{base}:partitions")))]


@pytest.fixture
def client(redis: RedisServer) -> Iterator[Any]:
    """Of the server that all tests share."""
    with redis.client() as client:
        yield client


@pytest.fixture
def admin(own_redis: RedisServer) -> Iterator[Any]:
    """Of the test's own server."""
    with own_redis.client() as client:
        yield client


# publishing ---------------------------------------------------------------------------------------


@servers
def test_a_server_without_memory_is_waited_for(
    own_redis: RedisServer, of: Service, admin: Any
) -> None:
    async def test() -> None:
        async with running(own_redis, of) as transport:
            assert outcomes(await publish(transport, of, "a")) == [Outcome.SENT]
            admin.config_set("maxmemory", "1mb")
            [refused] = await publish(transport, of, "a")
            assert refused.outcome is Outcome.TRANSIENT
            assert "memory" in refused.reason
            admin.config_set("maxmemory", "0")
            assert outcomes(await publish(transport, of, "a")) == [Outcome.SENT]

    asyncio.run(test())


@servers
def test_replicas_that_are_not_there_are_waited_for(redis: RedisServer, of: Service) -> None:
    async def test() -> None:
        quick = {"wait_replicas": 1, "publish_timeout_seconds": 0.5}
        async with running(redis, of, **quick) as transport:
            [one, other] = await publish(transport, of, "a", "b")
        assert outcomes([one, other]) == [Outcome.TRANSIENT] * 2
        assert "(0,) of (1,)" in one.reason

    asyncio.run(test())


@servers
def test_disks_are_waited_for_where_the_server_can(
    redis: RedisServer, of: Service, client: Any
) -> None:
    version = tuple(map(int, client.info()["redis_version"].split(".")[:2]))

    async def test() -> None:
        async with running(redis, of, wait_fsync=True) as transport:
            assert outcomes(await publish(transport, of, "a", "b")) == [Outcome.SENT] * 2

    if version >= (7, 2):
        asyncio.run(test())
    else:
        with pytest.raises(ConfigurationError, match=r"7\.2"):
            asyncio.run(test())


@servers
def test_what_is_forbidden_is_refused_alone(
    own_redis: RedisServer, of: Service, admin: Any
) -> None:
    async def test() -> None:
        mine = f"~events:{of.channels[0].destination}:*"
        admin.execute_command("ACL", "SETUSER", "svc", "on", ">secret", "+@all", mine)
        url = own_redis.url.replace("redis://", "redis://svc:secret@")
        async with running(own_redis, of, url=url) as transport:
            elsewhere = Outgoing("forbidden", "b", {}, b"x")
            sent = await transport.publish([elsewhere, outgoing(of, "a")])
        assert outcomes(sent) == [Outcome.PERMANENT, Outcome.SENT]
        assert "permission" in sent[0].reason.lower()

    asyncio.run(test())


@servers
def test_a_header_must_not_take_the_place_of_the_body(redis: RedisServer, of: Service) -> None:
    async def test() -> None:
        async with running(redis, of) as transport:
            bad = Outgoing(of.channels[0].destination, "a", {":body": "x"}, b"y")
            [sent] = await transport.publish([bad])
        assert (sent.outcome, ":body" in sent.reason) == (Outcome.PERMANENT, True)

    asyncio.run(test())


# streams ------------------------------------------------------------------------------------------


@servers
def test_all_go_by_the_number_of_partitions_that_was_said_first(
    redis: RedisServer, of: Service
) -> None:
    async def test() -> None:
        async with running(redis, of, partitions=3) as first:
            await first.provision(of.channels, dry_run=False)
        async with running(redis, of, partitions=7) as later, consumed(later, of) as found:
            await publish(later, of, *[f"k{n}" for n in range(40)])
            await until(lambda: len(found) == 40)
        assert {m.origin.rpartition("/")[0].rpartition(":")[2] for m in found} == {"0", "1", "2"}

    asyncio.run(test())


@servers
def test_all_values_of_a_parameter_are_in_the_same_streams(redis: RedisServer) -> None:
    async def test() -> None:
        name = uuid.uuid4().hex[:12]
        of = service(f"{name}/{{region}}/orders")
        places = [f"{name}/eu/orders", f"{name}/us-1/orders"]
        async with running(redis, of) as transport, consumed(transport, of) as found:
            await transport.publish([Outgoing(place, place, {}, b"x") for place in places])
            await transport.publish([Outgoing(f"{name}/a/b/orders", "a", {}, b"other")])
            await until(lambda: len(found) == 2)
            await asyncio.sleep(0.2)
        assert sorted(m.destination for m in found) == places
        assert all(m.headers == {} and m.key == m.destination for m in found)
        assert all(m.origin.startswith(f"events:{name}/*/orders:") for m in found)

    asyncio.run(test())


@servers
def test_events_of_others_are_taken(redis: RedisServer, of: Service, client: Any) -> None:
    async def test() -> None:
        async with running(redis, of) as transport:
            await transport.provision(of.channels, dry_run=False)
            client.xadd(streams(client, of)[1], {"ce_type": "order.placed", "data": "{}"})
            async with consumed(transport, of) as found:
                await until(lambda: len(found) == 1)
        [one] = found
        assert (one.key, one.body, one.destination) == (None, b"", of.channels[0].destination)
        assert one.headers == {"ce_type": "order.placed", "data": "{}"}

    asyncio.run(test())


@servers
def test_what_all_groups_have_handled_is_trimmed_and_nothing_else(
    redis: RedisServer, of: Service, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    monkeypatch.setattr(redis_consumer, "TRIM_EVERY", 0.1)
    other = service(of.channels[0].destination, "billing")

    def kept() -> int:
        return sum(client.xlen(name) for name in streams(client, of))

    async def test() -> None:
        values = {"partitions": 1, "retention_hours": 0.0}
        async with (
            running(redis, of, **values) as transport,
            running(redis, other, **values) as others,
        ):
            await others.provision(other.channels, dry_run=False)
            async with consumed(transport, of) as found:
                for _ in range(10):
                    await publish(transport, of, *[f"k{n}" for n in range(100)])
                await until(lambda: len(found) == 1000)
                await stands(transport, of, lag=0)
                await asyncio.sleep(0.5)
                assert kept() == 1000
                async with consumed(others, other) as last:
                    await until(lambda: kept() <= 200)  # whole nodes of a stream go
                    assert len(last) == 1000
                await stands(transport, of, position=1000, end=1000, lag=0)

    asyncio.run(test())


@servers
def test_what_was_handled_when_the_bookmark_stood_still_is_counted(
    redis: RedisServer, of: Service, client: Any
) -> None:
    """A process that is killed has no time to move it; Redis could not say the lag any more."""

    async def test() -> None:
        async with running(redis, of, partitions=1) as transport:
            async with consumed(transport, of) as found:
                await publish(transport, of, *[f"k{n}" for n in range(30)])
                await until(lambda: len(found) == 30)
                await stands(transport, of, position=30)
            [name] = streams(client, of)
            back = found[9].origin.rpartition("/")[2]
            client.xgroup_setid(name, "orders.on", back, entries_read=10)
            await publish(transport, of, "later")
            async with consumed(transport, of) as found:
                await until(lambda: len(found) == 1)
                await publish(transport, of, "last")
                await stands(transport, of, position=32, end=32, lag=0)
            assert client.xinfo_groups(name)[0]["entries-read"] == 32

    asyncio.run(test())


@servers
def test_a_database_that_was_restored_moves_the_bookmark_back(
    redis: RedisServer, of: Service, client: Any
) -> None:
    """Else what it wants again could be trimmed."""

    async def test() -> None:
        async with running(redis, of, partitions=1) as transport:
            async with consumed(transport, of) as found:
                await publish(transport, of, *[f"k{n}" for n in range(30)])
                await until(lambda: len(found) == 30)
            await stands(transport, of, position=30, lag=0)
            async with shared_database(of) as database, database.transaction() as tx:
                await tx.execute(text("UPDATE consumer_checkpoint SET position = '0'"))
            async with consumed(transport, of, acknowledge=False) as again:
                await until(lambda: len(again) == 30)
                await stands(transport, of, position=0, lag=30)
            async with consumed(transport, of) as again:
                await stands(transport, of, position=30, lag=0)
            assert client.xinfo_groups(*streams(client, of))[0]["entries-read"] == 30

    asyncio.run(test())


@servers
def test_a_group_that_is_destroyed_is_made_again(
    redis: RedisServer, of: Service, client: Any
) -> None:
    async def test() -> None:
        async with (
            running(redis, of, partitions=1) as transport,
            consumed(transport, of) as found,
        ):
            await publish(transport, of, "a")
            await stands(transport, of, position=1)
            client.xgroup_destroy(streams(client, of)[0], "orders.on")
            await publish(transport, of, "b")
            await until(lambda: len(found) == 2)
            await stands(transport, of, position=2, lag=0)

    asyncio.run(test())


@servers
def test_what_is_kept_can_be_read_again_from_a_time(redis: RedisServer, of: Service) -> None:
    async def read(transport: Any, start: datetime | int) -> list[bytes]:
        found = [m async for part in transport.history(of.channels[0], start) for m in part]
        return [m.body for m in found]

    async def test() -> None:
        async with running(redis, of) as transport:
            await publish(transport, of, "a", "b")
            await asyncio.sleep(0.01)
            start = datetime.now(UTC)
            await publish(transport, of, "c", "d", "e")
            assert sorted(await read(transport, start)) == [b"c", b"d", b"e"]
            assert sorted(await read(transport, 0)) == [b"a", b"b", b"c", b"d", b"e"]
            assert await read(transport, int(time.time() * 1000) + 60_000) == []

    asyncio.run(test())


# what the server is like --------------------------------------------------------------------------


async def findings(transport: Any, of: Service) -> str:
    return "\n".join(found.what for found in await transport.examine(of, 0.0))


@servers
def test_what_can_be_lost_is_said(own_redis: RedisServer, of: Service, admin: Any) -> None:
    async def test() -> None:
        async with running(own_redis, of) as transport:
            await transport.provision(of.channels, dry_run=False)
            assert await findings(transport, of) == "nobody consumes on"
            admin.config_set("appendfsync", "everysec")
            admin.config_set("maxmemory-policy", "allkeys-lru")
            found = await findings(transport, of)
            assert "appendfsync is everysec: a loss of power loses" in found
            assert "maxmemory-policy is allkeys-lru" in found
            admin.config_set("appendonly", "no")
            assert "keeps no append-only file" in await findings(transport, of)
            admin.replicaof("127.0.0.1", "1")
            assert "this Redis is a replica" in await findings(transport, of)
            [refused] = await publish(transport, of, "a")
            assert refused.outcome is Outcome.TRANSIENT

    asyncio.run(test())


@servers
def test_a_server_that_tells_nothing_is_used_all_the_same(
    own_redis: RedisServer, of: Service, admin: Any
) -> None:
    admin.execute_command("ACL", "SETUSER", "svc", "on", ">pw", "+@all", "-info", "~*")
    url = own_redis.url.replace("redis://", "redis://svc:pw@")

    async def test() -> None:
        async with running(own_redis, of, url=url) as transport:
            await transport.provision(of.channels, dry_run=False)
            assert outcomes(await publish(transport, of, "a")) == [Outcome.SENT]
            assert "does not say whether it keeps" in await findings(transport, of)
            admin.execute_command("ACL", "SETUSER", "svc", "-xgroup", "-time")
            with pytest.raises(ConfigurationError, match="refuses this service"):
                await transport.examine(of, 0.0)

    asyncio.run(test())


@servers
def test_streams_that_grow_are_named(redis: RedisServer, of: Service, client: Any) -> None:
    async def test() -> None:
        async with running(redis, of) as transport:
            await transport.provision(of.channels, dry_run=False)
            for name in streams(client, of):
                client.xgroup_destroy(name, "orders.on")
            await publish(transport, of, "a")
            assert "has no reader: it keeps all its 1 events" in await findings(transport, of)
            client.delete(*streams(client, of))
            client.xadd(streams(client, of)[0], {":body": "x"}, id="1000-0")
            await transport.provision(of.channels, dry_run=False)
            assert "as group orders.on has not handled them" in await findings(transport, of)
            async with consumed(transport, of):
                await stands(transport, of, lag=0)
                async with asyncio.timeout(SECONDS):
                    while await findings(transport, of):
                        await asyncio.sleep(0.1)

    asyncio.run(test())


@servers
def test_a_wrong_password_is_refused_and_not_shown(
    own_redis: RedisServer, of: Service, admin: Any
) -> None:
    admin.config_set("requirepass", "right")

    async def test() -> None:
        url = own_redis.url.replace("redis://", "redis://:s3cret@")
        with pytest.raises(ConfigurationError, match="refuses this service") as refused:
            async with running(own_redis, of, url=url):
                pass
        assert "s3cret" not in str(refused.value)
        assert "s3cret" not in repr(RedisSettings(url=url))

    asyncio.run(test())


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"redis_version": "7.2.4", "redis_mode": "cluster"}, "is a cluster"),
        ({"redis_version": "6.2.14", "redis_mode": "standalone"}, "7.0 or later"),
    ],
)
def test_servers_that_cannot_do_it_are_refused(about: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        redis_state.require(about, wait_fsync=False)


def test_settings_that_are_missing_are_named() -> None:
    with pytest.raises(ConfigurationError, match="ORDERS_REDIS_URL is not set"):
        RedisSettings.read("ORDERS_REDIS_")


def test_a_url_of_something_else_is_refused(of: Service) -> None:
    with pytest.raises(ConfigurationError, match="ORDERS_REDIS_URL is not a URL of Redis"):
        RedisTransport(of, None, RedisSettings(url="http://localhost"))  # type: ignore[arg-type]
