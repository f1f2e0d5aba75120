"""What `export` says a service must be allowed is enough for it, and no more than that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import nats as client_library
import pytest
from nats.js.api import StreamConfig

from tests.servers import nats as nats_server
from tests.servers.base import own_server
from tests.servers.nats import Nats
from tests.support.databases import shared_database
from tests.support.rights import service, works

from runtime.nats import NatsSettings, NatsTransport  # isort: skip  - assembled by the support

pytestmark = pytest.mark.servers

SERVICE = service("orders.{shop}.placed", "payments.captured")
OTHER = service("payments.captured", "orders.{shop}.placed", name="payments")


class Rights:
    """A server that was set up by what was exported alone."""

    def __init__(self, server: Nats) -> None:
        self.server = server
        exported = json.loads(transport(SERVICE, None, server.url).export(SERVICE, "orders"))
        [user] = exported["users"]
        self.url = server.let_in(user)
        asyncio.run(self._add(exported["streams"]))

    async def _add(self, streams: list[dict[str, Any]]) -> None:
        admin = await client_library.connect(self.server.url)
        for stream in streams:
            subject = f"$JS.API.STREAM.CREATE.{stream['name']}"
            answer = json.loads((await admin.request(subject, json.dumps(stream).encode())).data)
            assert "error" not in answer, answer
        await admin.close()


def transport(of: Any, database: Any, url: str) -> NatsTransport:
    return NatsTransport(of, NatsSettings(url=url), database)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rights]:
    with own_server(nats_server, tmp_path_factory.mktemp("rights") / "nats") as server:
        yield Rights(server)


def test_with_the_exported_rights_a_service_publishes_and_consumes(rights: Rights) -> None:
    async def test() -> None:
        async with shared_database(SERVICE) as database, shared_database(OTHER) as others:
            own = transport(SERVICE, database, rights.url)
            other = transport(OTHER, others, rights.server.url)
            await works(own, other, SERVICE, fill="berlin")

    asyncio.run(test())


def test_what_is_exported_is_what_provision_creates(rights: Rights) -> None:
    async def test() -> None:
        async with shared_database(SERVICE) as database:
            admin = transport(SERVICE, database, rights.server.url)
            left = await admin.provision(SERVICE.channels, dry_run=True)
            assert [change.action for change in left if "table" not in change.action] == []
            await admin.close()

    asyncio.run(test())


Forbidden = Callable[[Any], Coroutine[Any, Any, Any]]


async def publishes_an_event_of_another_service(client: Any) -> None:
    await client.publish("payments.captured.1", b"")


async def publishes_beside_its_events(client: Any) -> None:
    await client.publish("orders.berlin.cancelled.1", b"")


async def listens_to_other_subjects(client: Any) -> None:
    await client.subscribe("payments.>")


async def reads_what_it_publishes(client: Any) -> None:
    await client.publish("$JS.API.CONSUMER.CREATE.orders_shop_placed.mine", b"{}")


async def creates_a_stream(client: Any) -> None:
    config = StreamConfig(name="mine", subjects=["mine"])
    await client.publish("$JS.API.STREAM.CREATE.mine", json.dumps(config.as_dict()).encode())


async def deletes_a_stream(client: Any) -> None:
    await client.publish("$JS.API.STREAM.DELETE.payments_captured", b"")


async def empties_a_stream(client: Any) -> None:
    await client.publish("$JS.API.STREAM.PURGE.payments_captured", b"")


@pytest.mark.parametrize(
    "forbidden",
    [
        publishes_an_event_of_another_service,
        publishes_beside_its_events,
        listens_to_other_subjects,
        reads_what_it_publishes,
        creates_a_stream,
        deletes_a_stream,
        empties_a_stream,
    ],
)
def test_with_the_exported_rights_nothing_else_is_allowed(
    rights: Rights, forbidden: Forbidden
) -> None:
    async def test() -> None:
        said: asyncio.Queue[Exception] = asyncio.Queue()
        client = await client_library.connect(rights.url, error_cb=said.put, allow_reconnect=False)
        try:
            await forbidden(client)
            error = await asyncio.wait_for(said.get(), 10)
            assert "permissions violation" in str(error).lower(), error
        finally:
            await client.close()

    asyncio.run(test())
