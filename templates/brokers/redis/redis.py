"""Redis Streams: settings and transport. Producer, consumer and the rest are in the files beside.

Order per key needs one reader of a partition at a time, who goes on where the last one was. Redis's
consumer groups do neither, so partitions are leased, and positions kept, in the service's database
(`checkpoints`), which also holds what was done.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import Field, FilePath, SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, ResponseError

from . import redis_export, redis_state, redis_streams, tls
from .checkpoints import Checkpoints, provide_tables
from .errors import ConfigurationError
from .findings import nobody_consumes
from .partitions import PartitionConsumer
from .redis_consumer import BLOCK_MILLISECONDS, Reading, RedisLog, read_history
from .redis_names import Names, group_name
from .redis_producer import RedisProducer
from .redis_streams import AWAY, Client
from .settings import load_broker
from .transport import Change

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from .database import Database
    from .findings import Finding, PartitionLag
    from .service import Channel, Service, Subscription
    from .transport import Consumer, Deliver, Incoming, Outgoing, Sent

_log = structlog.get_logger("eventgen.redis")

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_HEALTH_SECONDS = 2.0
_REFUSED = (AuthenticationError, AuthorizationError, ResponseError)


class RedisSettings(tls.TlsSettings):
    """Redis's settings, from environment variables: `ORDERS_REDIS_URL` and so on.

    The URL is `redis://user:password@host:6379/0`, or `rediss://` with TLS; it is never shown.
    """

    url: SecretStr
    key_prefix: str = "events:"  # of every key; the same for all services that share events
    group_id: str | None = None  # instead of the service's name, which its groups begin with
    partitions: int = Field(default=8, ge=1, le=256)  # of a channel, if nobody has said otherwise
    # What every group has handled is kept so long, for replays: it is in the server's memory.
    retention_hours: float = Field(default=24.0, ge=0)
    # Short on purpose: an event that was not confirmed stays in the outbox and is sent again.
    publish_timeout_seconds: float = Field(default=10.0, gt=0)
    message_max_bytes: int = 1_000_000
    wait_replicas: int = Field(default=0, ge=0)  # that must have an event before it counts as sent
    wait_fsync: bool = False  # whether it must be on the primary's disk too (Redis 7.2)

    @classmethod
    def read(cls, prefix: str) -> RedisSettings:
        """Read the settings; ConfigurationError, naming the variables, if they cannot be right."""
        return load_broker(cls, "Redis", prefix)

    @property
    def lacks_tls(self) -> str | None:
        """What the URL begins with, when that is not TLS."""
        return None if self.url.get_secret_value().startswith("rediss:") else "redis://"

    def client(self, name: str, seconds: float = _ANSWER_SECONDS) -> Client:
        """A client that waits so long for an answer; `name` is what the server shows of it."""
        url = self.url.get_secret_value()
        secure: dict[str, Any] = {}
        if not self.lacks_tls:
            secure = {
                "ssl_ca_certs": _path(self.ssl_ca_location),
                "ssl_certfile": _path(self.ssl_certificate_location),
                "ssl_keyfile": _path(self.ssl_key_location),
                "ssl_password": self.key_password,
                "ssl_min_version": ssl.TLSVersion.TLSv1_2,
            }
        return Redis.from_url(
            url,
            client_name=name,
            protocol=2,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=seconds,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),  # what is tried again is for the caller to know
            **secure,
        )


def _path(path: FilePath | None) -> str | None:
    return None if path is None else str(path)


class RedisTransport:
    """A service's connections to one Redis primary."""

    def __init__(self, service: Service, database: Database, settings: RedisSettings) -> None:
        self._service = service
        self._database = database
        self._settings = settings
        self._names = Names(service, settings.key_prefix)
        self._variables = f"{service.env_prefix}REDIS_"
        try:
            self._client = settings.client(service.name, settings.publish_timeout_seconds)
        except ValueError as error:
            raise ConfigurationError(f"{self._variables}URL is not a URL of Redis") from error
        self._producer = RedisProducer(
            self._names,
            self._client,
            seconds=settings.publish_timeout_seconds,
            most_bytes=settings.message_max_bytes,
            partitions=settings.partitions,
            wait_replicas=settings.wait_replicas,
            wait_fsync=settings.wait_fsync,
        )

    async def start(self) -> None:
        """Connect, and say what can be lost. A server that does not answer yet is waited for."""
        try:
            async with self._explained():
                about = await redis_state.read_server(self._client)
        except AWAY:
            _log.warning("redis.not_reachable", server=self._address)
            return
        if about is not None:
            redis_state.require(about, wait_fsync=self._settings.wait_fsync)
        for finding in self._losses(about):
            _log.warning("redis.can_lose_events", why=finding.what, remedy=finding.remedy)

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Send messages together; the outcome of each."""
        return await self._producer.publish(messages)

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start delivering; partitions that other processes have are waited for."""
        reading = self._reading(subscription, group)
        name = f"{self._service.name}:{subscription.name}"
        client = self._settings.client(name, _ANSWER_SECONDS + BLOCK_MILLISECONDS / 1000)
        checkpoints = Checkpoints(self._database, reading.group, reading.base)
        consumer = PartitionConsumer(checkpoints, RedisLog(client, reading), deliver)
        consumer.start()
        return consumer

    async def history(
        self, channel: Channel, start: datetime | int
    ) -> AsyncIterator[Sequence[Incoming]]:
        """What is kept of a channel from a time, or so many milliseconds since 1970, up to now."""
        base = self._names.base(channel.destination)
        async with self._asking() as client:
            async for messages in read_history(client, base, channel.destination, start):
                yield messages

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create the streams, groups and tables that are missing."""
        group, service = self._service.name, self._service
        readings = [self._reading(s, group) for s in service.subscriptions if s.channel in channels]
        changes = []
        if readings and await provide_tables(self._database, dry_run=dry_run):
            changes.append(Change("create the tables of consumers' positions", done=not dry_run))
        try:
            async with self._asking() as client:
                changes += await redis_streams.provision(
                    client,
                    self._bases(channels),
                    [(reading.base, reading.group) for reading in readings],
                    self._settings.partitions,
                    dry_run=dry_run,
                )
        except AWAY as error:
            raise ConfigurationError(f"Redis at {self._address}: {_line(error)}") from error
        return changes

    def export(self, service: Service, user: str) -> str:
        """Commands for `redis-cli`."""
        published = {publication.channel.destination for publication in service.publications}
        readings = [self._reading(one, service.name) for one in service.subscriptions]
        return redis_export.commands(
            user,
            [self._names.base(destination) for destination in published],
            [(reading.base, reading.group) for reading in readings],
            self._settings.partitions,
            wait_fsync=self._settings.wait_fsync,
        )

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """How far the group has come, by partition."""
        reading = self._reading(subscription, group)
        async with self._asking() as client:
            return await redis_streams.lags(
                client, reading.base, reading.group, reading.destination
            )

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """What does not fit the promises."""
        del inbox_seconds  # what is handled is not read again, however old
        bases, retention = self._bases(service.channels), self._settings.retention_hours * 3600
        async with self._asking() as client:
            found = self._losses(await redis_state.read_server(client))
            found += await redis_state.unread(client, bases, retention)
        for subscription in service.subscriptions:
            reading = self._reading(subscription, service.name)
            places = await Checkpoints(self._database, reading.group, reading.base).positions()
            if not places or not all(place.held for place in places.values()):
                found.append(nobody_consumes(service, subscription.name))
        return found

    async def healthy(self) -> bool:
        """Whether the server answers."""
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                return bool(await self._client.ping())
        except AWAY:
            return False

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()

    @property
    def _place(self) -> tuple[str, int]:
        where = self._client.connection_pool.connection_kwargs
        return where.get("host", "localhost"), where.get("port", 6379)

    @property
    def _address(self) -> str:
        host, port = self._place
        return f"{host}:{port}"

    def _bases(self, channels: Sequence[Channel]) -> list[str]:
        return sorted({self._names.base(channel.destination) for channel in channels})

    def _reading(self, subscription: Subscription, group: str) -> Reading:
        destination = subscription.channel.destination
        return Reading(
            base=self._names.base(destination),
            group=group_name(subscription, self._settings.group_id or group),
            destination=destination,
            partitions=self._settings.partitions,
            retention=self._settings.retention_hours * 3600,
        )

    def _losses(self, about: redis_state.About | None) -> list[Finding]:
        return list(
            redis_state.losses(
                about,
                self._variables,
                wait_fsync=self._settings.wait_fsync,
                wait_replicas=self._settings.wait_replicas,
            )
        )

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Client]:
        """A client of its own, for questions that may take their time."""
        client = self._settings.client(f"{self._service.name}:asks")
        try:
            async with self._explained():
                yield client
        finally:
            await client.aclose()

    @asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        """Turn what no waiting helps against into ConfigurationError."""
        try:
            yield
        except _REFUSED as error:
            raise ConfigurationError(
                f"Redis at {self._address} refuses this service: {_line(error)}"
            ) from error
        except AWAY as error:
            why = await self._settings.refusal(error, *self._place)
            if why is None:
                raise
            where, url = f"Redis at {self._address}", f"{self._variables}URL"
            raise tls.explain(why, where, url, self._variables) from error


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def connect(service: Service, database: Database) -> RedisTransport:
    """The transport of a service, configured from its environment."""
    settings = RedisSettings.read(service.env_prefix + "REDIS_")
    return RedisTransport(service, database, settings)
