"""What the SNS/SQS transport does beyond what every broker does, against real queues."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiobotocore.client import AioBaseClient
from runtime.errors import ConfigurationError
from runtime.service import Channel, EventType, Publication, Service, Subscription
from runtime.sqs import SqsSettings, SqsTransport
from runtime.transport import Incoming, Outcome, Outgoing

from tests.servers.sns import ACCOUNT
from tests.servers.sqs import Sqs
from tests.support.generate import SPECS, compile_spec

pytestmark = [pytest.mark.servers, pytest.mark.anyio]

SECONDS = 60.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def service(destination: str, **values: Any) -> Service:
    channel = Channel("c", destination, destination, **values)
    subscription = Subscription(f"on-{destination}", channel, ())
    publication = Publication(EventType("t", "1", None), channel)  # type: ignore[arg-type]
    return Service(
        "orders",
        "1",
        "orders",
        "",
        None,
        (publication,),
        (subscription,),  # type: ignore[arg-type]
    )


@pytest.fixture
def of() -> Service:
    return service(f"order-{uuid.uuid4().hex[:12]}")


def settings(server: Any, **values: Any) -> SqsSettings:
    url = server.url
    known = {"sns_endpoint_url": url, "sqs_endpoint_url": url, "account_id": ACCOUNT}
    return SqsSettings(**{"region": "us-east-1", "wait_seconds": 1, **known, **values})


@asynccontextmanager
async def running(server: Any, of: Service, **values: Any) -> AsyncIterator[SqsTransport]:
    transport = SqsTransport(of, settings(server, **values))
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


async def publish(
    transport: Any, of: Service, *bodies: str, key: str = "k", **headers: str
) -> None:
    """One after the other, as the relay publishes the events of a key."""
    for body in bodies:
        message = Outgoing(of.channels[0].destination, key, headers, body.encode())
        [sent] = await transport.publish([message])
        assert sent.outcome is Outcome.SENT, sent


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


class Found:
    """What a consumer was given. `gate` holds it up."""

    def __init__(self) -> None:
        self.messages: list[Incoming] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.consumer: Any = None

    async def deliver(self, messages: Sequence[Incoming]) -> None:
        self.messages += messages
        await self.gate.wait()

    def bodies(self) -> list[str]:
        return [one.body.decode() for one in self.messages]


@asynccontextmanager
async def consumed(transport: Any, of: Service) -> AsyncIterator[Found]:
    found = Found()
    [subscription] = of.subscriptions
    found.consumer = await transport.consume(subscription, of.name, found.deliver)
    try:
        yield found
    finally:
        found.gate.set()
        await found.consumer.close()


async def test_what_is_held_longer_than_its_visibility_stays_here(sqs: Sqs, of: Service) -> None:
    async with running(sqs, of, visibility_seconds=4) as transport:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found, consumed(transport, of) as other:
            await publish(transport, of, "1", "2")
            await until(lambda: bool(found.messages or other.messages))
            await asyncio.sleep(7)
            messages = found.messages + other.messages
            assert len({one.body for one in messages}) == len(messages)
            assert not any(one.stale() for one in messages)


async def test_what_cannot_be_kept_is_stale_and_comes_again(
    sqs: Sqs, of: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the one above: nothing extends the visibility."""

    async def nothing(*_: Any) -> None:
        await asyncio.sleep(SECONDS)

    monkeypatch.setattr("runtime.sqs_consumer.SqsConsumer._extend", nothing)
    async with running(sqs, of, visibility_seconds=2) as transport:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found:
            await publish(transport, of, "1")
            await until(lambda: len(found.messages) >= 2)
            assert found.messages[0].stale()
            assert found.bodies()[:2] == ["1", "1"]


async def test_nobody_has_a_later_event_while_an_earlier_one_of_its_key_is_under_way(
    sqs: Sqs, of: Service
) -> None:
    async with running(sqs, of) as transport:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as one, consumed(transport, of) as other:
            await publish(transport, of, "1")
            await until(lambda: bool(one.messages or other.messages))
            await publish(transport, of, "2")
            await publish(transport, of, "elsewhere", key="other")
            await until(lambda: "elsewhere" in one.bodies() + other.bodies())
            await asyncio.sleep(1.5)
            assert "2" not in one.bodies() + other.bodies()
            holder = one if "1" in one.bodies() else other
            holder.consumer.ack([m for m in holder.messages if m.body == b"1"])
            await until(lambda: "2" in one.bodies() + other.bodies())


async def test_what_is_lost_of_a_key_is_lost_together(sqs: Sqs, of: Service) -> None:
    """Were one of them kept, it would be handled before the one that comes again."""
    async with running(sqs, of, visibility_seconds=8) as transport:
        await transport.provision(of.channels, dry_run=False)
        await publish(transport, of, "1", "2", "3")
        async with consumed(transport, of) as found:
            found.gate.clear()
            await until(lambda: len(found.messages) == 3)
            hold, first = found.messages[0].token
            # SQS does not know the receipt of one of them any more.
            hold.receipts.pop(first)
            hold.receipts["gone"] = None
            await until(lambda: all(one.stale() for one in found.messages[:3]))
            found.gate.set()
            await until(lambda: found.bodies()[3:4] == ["1"])
            found.consumer.ack(found.messages[3:4])
            await until(lambda: found.bodies()[3:] == ["1", "2", "3"])


async def test_what_is_done_one_by_one_is_deleted_together(
    sqs: Sqs, of: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.sqs_consumer._TOGETHER_SECONDS", SECONDS)
    deleted: list[int] = []
    call = AioBaseClient._make_api_call

    async def make_api_call(self: Any, name: str, values: Any) -> Any:
        if name == "DeleteMessageBatch":
            deleted.append(len(values["Entries"]))
        return await call(self, name, values)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", make_api_call)
    async with running(sqs, of) as transport:
        await transport.provision(of.channels, dry_run=False)
        for n in range(20):
            await publish(transport, of, f"{n}", key=f"k{n}")
        async with consumed(transport, of) as found:
            await until(lambda: len(found.messages) == 20)
            for message in found.messages:
                found.consumer.ack([message])
                await asyncio.sleep(0.005)
            await until(lambda: sum(deleted) == 20)
    assert deleted == [10, 10]


async def test_an_event_that_is_sent_twice_arrives_once(sqs: Sqs, of: Service) -> None:
    async with running(sqs, of) as transport:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found:
            await publish(transport, of, "1", ce_id="the same")
            await publish(transport, of, "1", ce_id="the same")
            await publish(transport, of, "2", ce_id="another", key="other")
            await until(lambda: "2" in found.bodies())
            await asyncio.sleep(0.5)
            assert sorted(found.bodies()) == ["1", "2"]


async def test_without_an_order_topics_and_queues_are_standard(sqs: Sqs) -> None:
    of = service(f"order-{uuid.uuid4().hex[:12]}", ordering="none")
    async with running(sqs, of) as transport:
        made = await transport.provision(of.channels, dry_run=False)
        assert not any(".fifo" in change.action for change in made)
        async with consumed(transport, of) as found:
            await publish(transport, of, *"12345")
            await until(lambda: sorted(found.bodies()) == [*"12345"])
            assert {one.key for one in found.messages} == {"k"}


async def test_a_channel_with_parameters_is_one_topic(sqs: Sqs) -> None:
    of = service(f"user.{{id}}.{uuid.uuid4().hex[:12]}")
    filled = of.channels[0].destination.replace("{id}", "7")
    async with running(sqs, of) as transport:
        await transport.provision(of.channels, dry_run=False)
        async with consumed(transport, of) as found:
            await transport.publish([Outgoing(filled, "k", {}, b"x")])
            await until(lambda: bool(found.messages))
            assert found.messages[0].destination == filled


async def test_what_is_missing_and_what_is_set_aside_is_said(sqs: Sqs, of: Service) -> None:
    async with running(sqs, of) as transport:
        with pytest.raises(ConfigurationError, match="run `orders provision`"):
            async with consumed(transport, of):
                pass
        [sent] = await transport.publish([Outgoing(of.channels[0].destination, "k", {}, b"x")])
        assert sent.outcome is Outcome.PERMANENT
        assert "there is no topic" in sent.reason
        await transport.provision(of.channels, dry_run=False)
        assert await transport.examine(of, 0.0) == []
    elsewhere = service(f"nobody-{uuid.uuid4().hex[:12]}")
    publisher = Service("o", "1", "o", "", None, elsewhere.publications)  # type: ignore[arg-type]
    async with running(sqs, publisher) as transport:
        await transport.provision(publisher.channels, dry_run=False)
        [finding] = await transport.examine(publisher, 0.0)
        assert "has no subscription" in finding.what


async def test_a_service_does_what_its_policy_allows_and_no_more(sqs: Sqs, of: Service) -> None:
    """From the start to the end, with `doctor` and `lag`; provisioning is somebody else's."""
    done: set[str] = set()
    async with running(sqs, of) as admin:
        await admin.provision(of.channels, dry_run=False)
    async with running(sqs, of, visibility_seconds=4) as transport:
        for client in (await transport._clients.sns(), await transport._clients.sqs()):

            def note(model: Any, **_: Any) -> None:
                action = model.name.removesuffix("Batch")
                done.add(f"{model.service_model.service_name}:{action}")

            client.meta.events.register("before-call", note)
        transport._clients._urls.clear()
        await publish(transport, of, "1", "2")
        async with consumed(transport, of) as found:
            await until(lambda: len(found.messages) == 2)
            await asyncio.sleep(2)  # visibility is extended meanwhile
            found.consumer.ack(found.messages[:1])
        await transport.lags(of.subscriptions[0], of.name)
        assert await transport.provision(of.channels, dry_run=True) == []
        await transport.examine(of, 0.0)
        assert await transport.healthy()
    assert done == allowed()


def allowed() -> set[str]:
    made = {file.path: file.text for file in compile_spec(SPECS / "orders.yaml", "sqs").files}
    policy = json.loads(made["deploy/aws/policy.json"])
    return {action for statement in policy["Statement"] for action in statement["Action"]}


async def test_without_credentials_or_region_it_does_not_start(
    sqs: Sqs, of: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ConfigurationError, match="credentials"):
        async with running(sqs, of):
            pass
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="region"):
        async with running(sqs, of, region=None):
            pass
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    async with running(sqs, of, region=None) as transport:
        assert await transport.healthy()


async def test_a_service_starts_before_the_broker_answers(of: Service) -> None:
    class Nowhere:
        url = "http://127.0.0.1:1"

    async with running(Nowhere, of) as transport:
        assert not await transport.healthy()
        [sent] = await transport.publish([Outgoing(of.channels[0].destination, "k", {}, b"x")])
        assert sent.outcome is Outcome.TRANSIENT


def test_there_is_no_history(of: Service) -> None:
    transport = SqsTransport(of, SqsSettings())
    with pytest.raises(ConfigurationError, match="outbox republish"):
        transport.history(of.channels[0], 0)


def test_settings_that_cannot_be_right_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_SQS_ACCOUNT_ID", "me")
    with pytest.raises(ConfigurationError, match="ORDERS_SQS_ACCOUNT_ID"):
        SqsSettings.read("ORDERS_SQS_")


# against moto's reading of the API --------------------------------------------------------------


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()

    class At:
        url = f"http://{host}:{port}"

    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", At.url)
    yield At
    server.stop()


@pytest.mark.parametrize("ordering", ["key", "none"])
async def test_aws_would_know_what_is_asked_of_it(moto: Any, ordering: str) -> None:
    of = service(f"order-{uuid.uuid4().hex[:12]}", ordering=ordering)
    more = {"account_id": None, "message_max_bytes": 300_000}
    async with running(moto, of, **more) as transport:
        planned = await transport.provision(of.channels, dry_run=True)
        made = await transport.provision(of.channels, dry_run=False)
        assert [one.action for one in made] == [one.action for one in planned]
        assert len(made) == 4
        assert await transport.provision(of.channels, dry_run=False) == []
        await publish(transport, of, "1", "2", note="n")
        async with consumed(transport, of) as found:
            await until(lambda: len(found.messages) == 2)
            assert {one.key for one in found.messages} == {"k"}
            assert dict(found.messages[0].headers) == {"note": "n"}
            found.consumer.ack(found.messages)
        assert await transport.examine(of, 0.0) == []
        assert [one.lag for one in await transport.lags(of.subscriptions[0], of.name)] == [0]
