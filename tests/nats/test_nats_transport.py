"""What the NATS transport does beyond what every broker does, against a real server."""

from __future__ import annotations

import asyncio
import socket
import struct
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats as client
import pytest
from nats.js.api import StorageType, StreamConfig
from runtime.databases import open_database
from runtime.errors import ConfigurationError
from runtime.nats import NatsSettings, NatsTransport
from runtime.nats_names import stream_of
from runtime.service import Channel, Service, Subscription
from runtime.transport import Incoming, Outcome, Outgoing

from tests.servers.nats import Nats

pytestmark = [pytest.mark.servers, pytest.mark.anyio]

SECONDS = 30.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def service(destination: str) -> Service:
    channel = Channel(name="c", address=destination, destination=destination)
    subscription = Subscription(f"on-{destination}", channel, ())
    return Service("orders", "1", "orders", "", None, subscriptions=(subscription,))  # type: ignore[arg-type]


@pytest.fixture
def of() -> Service:
    return service(f"order.{uuid.uuid4().hex[:12]}")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Any]:
    made = open_database(f"sqlite:///{tmp_path / 'positions.db'}")
    yield made
    await made.close()


@asynccontextmanager
async def running(
    server: Nats, of: Service, database: Any, **values: Any
) -> AsyncIterator[NatsTransport]:
    settings = NatsSettings(**({"url": server.url} | values))
    transport = NatsTransport(of, settings, database)
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def streams(server: Nats) -> AsyncIterator[Any]:
    async with await client.connect(server.url) as connection:
        yield connection.jetstream()


async def publish(transport: Any, of: Service, *keys: str, **headers: str) -> list[Outcome]:
    destination = of.channels[0].destination
    messages = [Outgoing(destination, key, headers, key.encode()) for key in keys]
    return [sent.outcome for sent in await transport.publish(messages)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def consumed(transport: Any, of: Service) -> AsyncIterator[list[Incoming]]:
    """What is delivered; each message is acknowledged at once."""
    found: list[Incoming] = []
    consumers: list[Any] = []

    async def deliver(messages: Any) -> None:
        found.extend(messages)
        await until(lambda: bool(consumers))
        consumers[0].ack(messages)

    [subscription] = of.subscriptions
    consumers.append(await transport.consume(subscription, of.name, deliver))
    try:
        yield found
    finally:
        await consumers[0].close()


def bodies(found: list[Incoming]) -> list[str]:
    return [one.body.decode() for one in found]


# publishing ---------------------------------------------------------------------------------------


async def test_without_a_stream_nothing_is_sent_and_nobody_consumes(
    nats: Nats, of: Service, database: Any
) -> None:
    async with running(nats, of, database) as transport:
        [sent] = await transport.publish([Outgoing(of.channels[0].destination, "a", {}, b"x")])
        assert sent.outcome is Outcome.TRANSIENT
        assert "run `orders provision`" in sent.reason
        with pytest.raises(ConfigurationError, match="run `orders provision`"):
            async with consumed(transport, of):
                pass


async def test_a_full_stream_refuses_and_drops_nothing(
    nats: Nats, of: Service, database: Any
) -> None:
    async with running(nats, of, database, stream_max_bytes=1000) as transport:
        await transport.provision(of.channels, dry_run=False)
        sent = [(await publish(transport, of, f"{n}"))[0] for n in range(30)]
        assert sent[:5] == [Outcome.SENT] * 5
        assert sent[-1] is Outcome.TRANSIENT
        [full] = await transport.publish([Outgoing(of.channels[0].destination, "a", {}, b"x")])
        assert "is full" in full.reason
        async with consumed(transport, of) as found:
            await until(lambda: len(found) == sent.count(Outcome.SENT))


async def test_what_is_sent_again_at_once_is_stored_once(
    nats: Nats, of: Service, database: Any
) -> None:
    async with running(nats, of, database) as transport, streams(nats) as admin:
        await transport.provision(of.channels, dry_run=False)
        for _ in range(2):
            assert await publish(transport, of, "a", ce_id="1") == [Outcome.SENT]
        assert await publish(transport, of, "a", ce_id="2") == [Outcome.SENT]
        assert (await admin.stream_info(stream_of(of.channels[0]))).state.messages == 2


async def test_what_the_service_may_not_publish_is_refused_for_good(
    nats: Nats, database: Any
) -> None:
    of = service(f"secret.{uuid.uuid4().hex[:12]}")
    async with running(nats, of, database) as transport:
        await transport.provision(of.channels, dry_run=False)
    url = nats.url.replace("nats://", "nats://guest:guest@")
    quick = {"publish_timeout_seconds": 2.0}  # the server says it to the connection alone
    async with running(nats, of, database, url=url, **quick) as transport:
        assert await publish(transport, of, "a") == [Outcome.PERMANENT]


# streams that are lost ----------------------------------------------------------------------------


async def test_a_stream_that_is_deleted_is_made_again(
    nats: Nats, of: Service, database: Any
) -> None:
    async with running(nats, of, database) as transport, streams(nats) as admin:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found:
            await publish(transport, of, "a", "b")
            await until(lambda: len(found) == 2)
            await admin.delete_stream(stream_of(of.channels[0]))
            async with asyncio.timeout(SECONDS):
                while (await publish(transport, of, "c")) != [Outcome.SENT]:
                    await asyncio.sleep(0.1)
            await until(lambda: len(found) == 3)
        assert bodies(found)[-1] == "c"


async def test_a_stream_that_somebody_else_makes_again_is_read_from_its_beginning(
    nats: Nats, of: Service, database: Any
) -> None:
    """It happens while a delivery is under way, so that nobody asks for the stream meanwhile."""
    found: list[Incoming] = []
    gate = asyncio.Event()

    async def deliver(messages: Any) -> None:
        found.extend(messages)
        await gate.wait()

    async with running(nats, of, database) as transport, streams(nats) as admin:
        await transport.provision(of.channels, dry_run=False)
        await publish(transport, of, *"aaaa")
        [subscription] = of.subscriptions
        consumer = await transport.consume(subscription, of.name, deliver)
        await until(lambda: bool(found))
        await admin.delete_stream(stream_of(of.channels[0]))
        await transport.provision(of.channels, dry_run=False)
        anew = Outgoing(of.channels[0].destination, "a", {}, b"anew")
        [sent] = await transport.publish([anew])
        assert sent.outcome is Outcome.SENT
        gate.set()
        await until(lambda: bodies(found)[-1] == "anew")
        await consumer.close()


async def test_a_position_is_not_taken_for_a_place_in_another_stream(
    nats: Nats, of: Service, database: Any
) -> None:
    """The stream was made again while nobody read it, and holds more by now than before."""
    async with running(nats, of, database) as transport, streams(nats) as admin:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found:
            await publish(transport, of, *"aaab")
            await until(lambda: len(found) == 4)
        await admin.delete_stream(stream_of(of.channels[0]))
        await transport.provision(of.channels, dry_run=False)
        await publish(transport, of, *"aaabcaaaaa")
        async with consumed(transport, of) as found:
            await until(lambda: len(found) == 10)


async def test_a_stream_that_lost_its_end_is_read_on_from_where_it_ends(
    nats: Nats, of: Service, database: Any
) -> None:
    async with running(nats, of, database) as transport:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found:
            await publish(transport, of, "a", "a", "a")
            await until(lambda: len(found) == 3)
        async with database.transaction() as tx:
            rows = await tx.exec_driver_sql("SELECT part, position FROM consumer_checkpoint")
            for part, position in rows.all():
                further = f"UPDATE consumer_checkpoint SET position = '{int(position) + 100}'"
                await tx.exec_driver_sql(f"{further} WHERE part = {part}")
        async with consumed(transport, of) as found:
            await asyncio.sleep(0.5)
            await publish(transport, of, "b")
            await until(lambda: len(found) == 1)
        assert bodies(found) == ["b"]


# reading ------------------------------------------------------------------------------------------


async def test_when_the_server_forgets_its_consumers_nothing_is_missed(
    nats: Nats, of: Service, database: Any
) -> None:
    async with running(nats, of, database) as transport, streams(nats) as admin:
        await transport.provision(of.channels, dry_run=False)
        stream = stream_of(of.channels[0])
        async with consumed(transport, of) as found:
            for number in range(3):
                await publish(transport, of, *[f"{number}-{n}" for n in range(50)])
                await until(lambda number=number: len(found) >= 50 * number + 10)
                for consumer in await admin.consumers_info(stream):
                    await admin.delete_consumer(stream, consumer.name)
            await until(lambda: len(found) >= 150)
        assert sorted(bodies(found)) == sorted(f"{m}-{n}" for m in range(3) for n in range(50))


async def test_what_could_not_be_delivered_comes_again_in_its_order(
    nats: Nats, of: Service, database: Any
) -> None:
    found: list[Incoming] = []

    async def deliver(messages: Any) -> None:
        found.extend(messages)
        if len(found) == 3:
            raise OSError("by the test")

    async with running(nats, of, database) as transport:
        await transport.provision(of.channels, dry_run=False)
        for body in (b"1", b"2", b"3"):
            await transport.publish([Outgoing(of.channels[0].destination, "a", {}, body)])
        [subscription] = of.subscriptions
        consumer = await transport.consume(subscription, of.name, deliver)
        await until(lambda: len(found) == 6)
        await consumer.close()
    assert bodies(found) == ["1", "2", "3"] * 2


async def test_events_of_others_without_our_headers_are_taken(
    nats: Nats, of: Service, database: Any
) -> None:
    destination = of.channels[0].destination
    headers = {"ce-type": "order%20placed", "Content-Type": "a/b", "baggage": "a=b%20c"}
    async with running(nats, of, database) as transport, streams(nats) as admin:
        await transport.provision(of.channels, dry_run=False)
        await admin.publish(destination, b"{}", headers=headers)
        async with consumed(transport, of) as found:
            await until(lambda: len(found) == 1)
    [one] = found
    assert (one.key, one.destination, one.body) == (None, destination, b"{}")
    expected = {"ce_type": "order placed", "content-type": "a/b", "baggage": "a=b%20c"}
    assert dict(one.headers) == expected


async def test_parameters_stand_for_one_word_each(nats: Nats, database: Any) -> None:
    name = uuid.uuid4().hex[:12]
    of = service(f"order.{name}.shop-{{shop}}.{{region}}")
    async with running(nats, of, database) as transport, streams(nats) as admin:
        await transport.provision(of.channels, dry_run=False)
        to = f"order.{name}.shop-7.eu"
        [sent] = await transport.publish([Outgoing(to, "a", {}, b"for us")])
        assert sent.outcome is Outcome.SENT
        await admin.publish(f"order.{name}.stall-7.eu", b"for others")
        await admin.publish(to, b"for us too")
        async with consumed(transport, of) as found:
            await until(lambda: len(found) == 2)
    assert {(one.body, one.destination) for one in found} == {(b"for us", to), (b"for us too", to)}


async def test_history_begins_at_a_time_or_a_sequence_number(
    nats: Nats, of: Service, database: Any
) -> None:
    async with running(nats, of, database) as transport:
        await transport.provision(of.channels, dry_run=False)
        sent = await publish(transport, of, *[f"{n}" for n in range(700)])
        assert sent == [Outcome.SENT] * 700
        await asyncio.sleep(0.01)
        later = datetime.now(UTC)
        await publish(transport, of, "later")

        async def read(start: Any) -> list[str]:
            batches = [batch async for batch in transport.history(of.channels[0], start)]
            return [one.body.decode() for batch in batches for one in batch]

        assert sorted(await read(0)) == sorted(["later", *(f"{n}" for n in range(700))])
        assert (await read(2))[-1] == "later"
        assert len(await read(2)) == 700
        assert await read(later) == ["later"]
        assert await read(702) == []


async def test_large_messages_come_in_several_answers(
    nats: Nats, of: Service, database: Any
) -> None:
    large = Outgoing(of.channels[0].destination, "a", {}, b"x" * 900_000)
    async with running(nats, of, database) as transport:
        await transport.provision(of.channels, dry_run=False)
        for _ in range(12):
            [sent] = await transport.publish([large])
            assert sent.outcome is Outcome.SENT
        sizes = [len(batch) async for batch in transport.history(of.channels[0], 0)]
    assert sum(sizes) == 12
    assert max(sizes) < 12


# settings, and what doctor says -------------------------------------------------------------------


async def test_doctor_says_what_does_not_fit(nats: Nats, of: Service, database: Any) -> None:
    channel = of.channels[0]
    async with streams(nats) as admin:
        await admin.add_stream(
            StreamConfig(
                name=stream_of(channel),
                subjects=[channel.destination],
                storage=StorageType.MEMORY,
                max_bytes=10_000,
                max_age=3600,
            )
        )
    async with running(nats, of, database) as transport:
        findings = "\n".join(finding.what for finding in await transport.examine(of, 60.0))
    assert f"does not take {channel.destination}.0, " in findings
    assert "is in memory" in findings
    assert "deletes its oldest events when it is full" in findings
    assert "the inbox remembers them for" in findings
    assert "nobody consumes" in findings
    assert "nobody here knows whether NATS writes an event to its disk" in findings


async def test_doctor_has_nothing_to_say_of_what_fits(
    nats: Nats, of: Service, database: Any
) -> None:
    watched = {"monitoring_url": nats.monitoring}
    async with running(nats, of, database, **watched) as transport:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found:
            await publish(transport, of, "a")
            await until(lambda: len(found) == 1)
            assert await transport.examine(of, 14 * 86_400.0) == []


async def test_doctor_says_when_confirmed_events_are_not_on_the_disk(
    of: Service, database: Any, own_nats: Nats
) -> None:
    settings = Path(own_nats.folder) / "nats.conf"
    settings.write_text(settings.read_text().replace("sync_interval: always", ""))
    own_nats.kill()
    await asyncio.to_thread(own_nats.restart)
    watched = {"monitoring_url": own_nats.monitoring}
    async with running(own_nats, of, database, **watched) as transport:
        findings = [finding.what for finding in await transport.examine(of, 14 * 86_400.0)]
    assert any("before they are on its disk" in finding for finding in findings)


async def test_a_wrong_password_is_refused_and_not_shown(
    nats: Nats, of: Service, database: Any
) -> None:
    url = nats.url.replace("nats://", "nats://app:s3cret@")
    with pytest.raises(ConfigurationError, match="refuses this service") as refused:
        async with running(nats, of, database, url=url):
            pass
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(NatsSettings(url=url))


async def test_a_refusal_is_heard_though_its_word_was_lost_on_the_way(
    of: Service, database: Any
) -> None:
    """The server says no and closes at once: the connection may be reset before that is read."""
    attempts = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576}\r\n')
        await reader.readuntil(b"PING\r\n")
        if attempts == 1:
            lost = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lost)
        else:
            writer.write(b"-ERR 'Authorization Violation'\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        url = f"nats://app:s3cret@127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        with pytest.raises(ConfigurationError, match="refuses this service"):
            async with running(Nats(url), of, database):
                pass
    assert attempts == 2


async def test_nobody_is_told_a_password_in_the_clear_where_tls_is_asked_for(
    of: Service, database: Any
) -> None:
    heard = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576}\r\n')
        while data := await reader.read(1000):
            heard.extend(data)
            writer.write(b"PONG\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        url = f"tls://app:s3cret@127.0.0.1:{port}"
        with pytest.raises(ConfigurationError, match="asks for no TLS"):
            async with running(Nats(url), of, database):
                pass
    assert heard == b""


async def test_a_server_that_is_away_at_the_start_is_waited_for(
    of: Service, database: Any, own_nats: Nats
) -> None:
    async with running(own_nats, of, database) as transport:
        await transport.provision(of.channels, dry_run=False)
    own_nats.kill()
    async with running(own_nats, of, database) as transport, consumed(transport, of) as found:
        assert await publish(transport, of, "a") == [Outcome.TRANSIENT]
        await asyncio.to_thread(own_nats.restart)
        async with asyncio.timeout(SECONDS):
            while await publish(transport, of, "a") != [Outcome.SENT]:
                await asyncio.sleep(0.1)
        await until(lambda: len(found) >= 1)


def test_settings_that_are_missing_are_named() -> None:
    with pytest.raises(ConfigurationError, match="ORDERS_NATS_URL is not set"):
        NatsSettings.read("ORDERS_NATS_")


@pytest.mark.parametrize("url", ["http://host:4222", "host:4222", "nats://", "nats://a,b:4222"])
def test_a_url_of_something_else_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_NATS_URL", url)
    with pytest.raises(ConfigurationError, match=r"ORDERS_NATS_URL: .*nats://host:port"):
        NatsSettings.read("ORDERS_NATS_")
