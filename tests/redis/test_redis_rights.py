"""What `export` says a service must be allowed is enough for it, and no more than that."""

from __future__ import annotations

import asyncio
import shlex
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis
from redis.exceptions import NoPermissionError

from tests.servers.redis import RedisServer
from tests.support.databases import shared_database
from tests.support.rights import service, works

from runtime.redis import RedisSettings, RedisTransport  # isort: skip  - assembled by the support

pytestmark = pytest.mark.servers


class Rights:
    """A service that is somebody on the server, which was set up by the exported commands alone."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.prefix = f"{uuid.uuid4().hex[:12]}:"
        self.user = f"orders-{self.prefix[:-1]}"
        self.service = service("orders.placed", "payments.captured")
        self.other = service("payments.captured", "orders.placed", name="payments")
        self.url = server.url.replace("://", f"://{self.user}:secret@")
        with server.client() as admin:
            for line in (
                self.transport(self.service, None, self.url)
                .export(self.service, self.user)
                .splitlines()
            ):
                admin.execute_command(*shlex.split(line))
            admin.execute_command("ACL", "SETUSER", self.user, ">secret")

    def transport(self, of: Any, database: Any, url: str) -> RedisTransport:
        settings = RedisSettings(url=url, key_prefix=self.prefix, partitions=2)  # type: ignore[arg-type]
        return RedisTransport(of, database, settings)

    def key(self, name: str) -> str:
        return self.prefix + name


@pytest.fixture
def rights(redis: RedisServer) -> Rights:
    return Rights(redis)


def test_with_the_exported_rights_a_service_publishes_and_consumes(rights: Rights) -> None:
    async def test() -> None:
        async with (
            shared_database(rights.service) as database,
            shared_database(rights.other) as others,
        ):
            own = rights.transport(rights.service, database, rights.url)
            other = rights.transport(rights.other, others, rights.server.url)
            await works(own, other, rights.service)

    asyncio.run(test())


def test_what_is_exported_is_what_provision_creates(rights: Rights) -> None:
    async def test() -> None:
        async with shared_database(rights.service) as database:
            admin = rights.transport(rights.service, database, rights.server.url)
            left = await admin.provision(rights.service.channels, dry_run=True)
            assert [change.action for change in left if "table" not in change.action] == []
            await admin.close()

    asyncio.run(test())


def publishes_an_event_of_another_service(client: Any, rights: Rights) -> None:
    client.xadd(rights.key("payments.captured:0"), {"a": "b"})


def reads_what_it_publishes(client: Any, rights: Rights) -> None:
    client.xread({rights.key("orders.placed:0"): "0"})


def deletes_a_stream(client: Any, rights: Rights) -> None:
    client.delete(rights.key("payments.captured:0"))


def says_how_many_streams_there_are(client: Any, rights: Rights) -> None:
    client.set(rights.key("orders.placed:partitions"), 3)


def touches_other_keys(client: Any, _: Rights) -> None:
    client.get("somebody's")


def deletes_everything(client: Any, _: Rights) -> None:
    client.flushall()


def lets_itself_do_more(client: Any, rights: Rights) -> None:
    client.execute_command("ACL", "SETUSER", rights.user, "allcommands")


def reads_the_servers_settings(client: Any, _: Rights) -> None:
    client.config_get("requirepass")


@pytest.mark.parametrize(
    "forbidden",
    [
        publishes_an_event_of_another_service,
        reads_what_it_publishes,
        deletes_a_stream,
        says_how_many_streams_there_are,
        touches_other_keys,
        deletes_everything,
        lets_itself_do_more,
        reads_the_servers_settings,
    ],
)
def test_with_the_exported_rights_nothing_else_is_allowed(
    rights: Rights, forbidden: Callable[[Any, Rights], None]
) -> None:
    with redis.Redis.from_url(rights.url) as client, pytest.raises(NoPermissionError):
        forbidden(client, rights)
