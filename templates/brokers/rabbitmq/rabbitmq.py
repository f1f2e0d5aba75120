"""RabbitMQ: settings and transport. Producer, consumer and topology are in the files beside."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aio_pika
import structlog
from aiormq.exceptions import (
    AuthenticationError,
    ChannelAccessRefused,
    ConnectionNotAllowed,
    ProbableAuthenticationError,
)
from pydantic import Field, SecretStr
from yarl import URL

from . import tls
from .errors import ConfigurationError
from .rabbitmq_consumer import RabbitConsumer
from .rabbitmq_names import SLOTS, Names
from .rabbitmq_producer import RabbitProducer
from .rabbitmq_topology import AWAY, Topology, hang_up
from .settings import load_broker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue

    from .database import Database
    from .findings import Finding, PartitionLag
    from .service import Channel, Service, Subscription
    from .transport import Change, Consumer, Deliver, Incoming, Outgoing, Sent

_log = structlog.get_logger("eventgen.rabbitmq")

_CONNECT_SECONDS = 5.0
_HEALTH_SECONDS = 2.0
_REFUSED = (AuthenticationError, ProbableAuthenticationError, ConnectionNotAllowed)


class RabbitSettings(tls.TlsSettings):
    """RabbitMQ's settings, from environment variables: `ORDERS_RABBITMQ_URL` and so on.

    The URL is `amqp://user:password@host:5672/vhost`, or `amqps://` with TLS; it is never shown.
    `queue_arguments` (JSON) is for every other argument of queues that `provision` creates, as
    `x-message-ttl` and `x-max-length`; the ones the delivery promise rests on win.
    """

    url: SecretStr
    exchange: str = Field(default="events", min_length=1)
    group_id: str | None = None  # instead of the service's name, which its queues begin with
    queues: int = Field(default=4, ge=1, le=SLOTS)  # of a subscription with an order
    prefetch: int = Field(default=250, ge=1, le=65_535)  # from each queue
    heartbeat_seconds: int = Field(default=10, ge=1)
    # Short on purpose: an event that was not confirmed stays in the outbox and is sent again.
    publish_timeout_seconds: float = Field(default=10.0, gt=0)
    message_max_bytes: int = 1_000_000
    queue_arguments: dict[str, str | int | bool] = Field(default_factory=dict)

    @classmethod
    def read(cls, prefix: str) -> RabbitSettings:
        """Read the settings; ConfigurationError, naming the variables, if they cannot be right."""
        return load_broker(cls, "RabbitMQ", prefix)

    @property
    def lacks_tls(self) -> str | None:
        """What the URL begins with, when that is not TLS."""
        return None if self.url.get_secret_value().startswith("amqps:") else "amqp://"

    @property
    def place(self) -> tuple[str, int]:
        """The broker's host and port."""
        url = URL(self.url.get_secret_value())
        return url.host or "localhost", url.port or (5672 if self.lacks_tls else 5671)

    @property
    def address(self) -> str:
        """Where the broker is, without who asks."""
        host, port = self.place
        return f"{host}:{port}"

    async def connect(self, name: str) -> AbstractConnection:
        """A new connection; `name` is what the broker shows of it."""
        url = URL(self.url.get_secret_value()).update_query(heartbeat=self.heartbeat_seconds)
        context = await asyncio.to_thread(self.tls) if url.scheme == "amqps" else None
        return await aio_pika.connect(
            url,
            ssl_context=context,
            timeout=_CONNECT_SECONDS,
            client_properties={"connection_name": name},
        )


class RabbitTransport:
    """A service's connections to a RabbitMQ broker: one to publish, one for each subscription."""

    def __init__(self, service: Service, settings: RabbitSettings) -> None:
        self._service = service
        self._settings = settings
        self._variables = f"{service.env_prefix}RABBITMQ_"
        self._names = Names(service, settings.exchange, settings.queues)
        self._producer = RabbitProducer(
            self._names,
            lambda: settings.connect(f"{service.name} publishes"),
            seconds=settings.publish_timeout_seconds,
            most_bytes=settings.message_max_bytes,
        )

    async def start(self) -> None:
        """Connect. A broker that does not answer yet is waited for later; refusal is an error."""
        try:
            async with self._asking():
                pass
        except _REFUSED as error:
            raise ConfigurationError(
                f"RabbitMQ at {self._settings.address} refuses this service: {_line(error)}"
            ) from error
        except (ValueError, KeyError) as error:
            raise ConfigurationError(f"{self._variables}URL is not a URL of RabbitMQ") from error
        except AWAY:
            _log.warning("rabbitmq.not_reachable", server=self._settings.address)

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Send messages together; the outcome of each."""
        return await self._producer.publish(messages)

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start delivering. ConfigurationError when a queue does not exist."""
        topology = self._topology(group)
        await self._require(topology, subscription)
        name = f"{self._service.name} consumes {subscription.name}"

        async def open_queues(channel: AbstractChannel) -> Sequence[AbstractQueue]:
            return await topology.open(channel, subscription)

        async def connect() -> AbstractConnection:
            connection = await self._settings.connect(name)
            if await topology.missing(connection, subscription):
                await self._recover(topology, connection, subscription)
            return connection

        consumer = RabbitConsumer(
            open_queues,
            connect,
            deliver,
            destination=subscription.channel.destination,
            prefetch=self._settings.prefetch,
        )
        consumer.start()
        return consumer

    def history(
        self,
        channel: Channel,
        start: datetime | int,  # noqa: ARG002 - the protocol's shape
    ) -> AsyncIterator[Sequence[Incoming]]:
        """Queues forget what was acknowledged: ConfigurationError says what there is instead."""
        raise ConfigurationError(
            f"RabbitMQ does not keep the events of {channel.name} once they are handled: have "
            "them sent again by the service that published them, `outbox republish`"
        )

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create the exchanges and queues that are missing."""
        try:
            async with self._asking() as connection:
                topology = self._topology(self._service.name)
                return await topology.provision(connection, channels, dry_run=dry_run)
        except AWAY as error:
            raise ConfigurationError(
                f"RabbitMQ at {self._settings.address}: {_line(error)}"
            ) from error

    def export(self, service: Service, user: str) -> str:
        """A file of definitions, as JSON."""
        url = URL(self._settings.url.get_secret_value())
        vhost = url.path[1:] or "/"
        return json.dumps(self._topology(service.name).definitions(user, vhost), indent=2) + "\n"

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """What waits in the queues of a subscription."""
        async with self._asking() as connection:
            return await self._topology(group).lags(connection, subscription)

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """What on the broker does not fit the promises."""
        del inbox_seconds  # what was acknowledged is not delivered again, however old
        async with self._asking() as connection:
            return await self._topology(service.name).examine(connection, service)

    async def healthy(self) -> bool:
        """Whether the broker answers."""
        try:
            async with asyncio.timeout(_HEALTH_SECONDS), self._asking():
                return True
        except (*AWAY, ConfigurationError):
            return False

    async def close(self) -> None:
        """Disconnect."""
        await self._producer.close()

    def _topology(self, group: str) -> Topology:
        arguments = self._settings.queue_arguments
        return Topology(self._names, self._settings.group_id or group, arguments)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[AbstractConnection]:
        """A connection of its own, for questions. ConfigurationError when its TLS is wrong."""
        try:
            connection = await self._settings.connect(f"{self._service.name} asks")
        except AWAY as error:
            why = await self._settings.refusal(error, *self._settings.place)
            if why is None:
                raise
            where, url = f"RabbitMQ at {self._settings.address}", f"{self._variables}URL"
            raise tls.explain(why, where, url, self._variables) from error
        try:
            yield connection
        finally:
            await hang_up(connection)

    async def _require(self, topology: Topology, subscription: Subscription) -> None:
        """Refuse a queue the broker does not have. A broker that is away may have it."""
        try:
            async with self._asking() as connection:
                missing = await topology.missing(connection, subscription)
        except ChannelAccessRefused as error:
            raise ConfigurationError(f"RabbitMQ refuses this service: {_line(error)}") from error
        except AWAY:
            return
        if missing:
            raise ConfigurationError(
                f"RabbitMQ at {self._settings.address} has no queue {missing}: "
                f"run `{self._service.name} provision`, or have it created"
            )

    async def _recover(
        self, topology: Topology, connection: AbstractConnection, subscription: Subscription
    ) -> None:
        """Make queues again that were there when the service started."""
        made = await topology.provision(connection, [subscription.channel], dry_run=False)
        _log.warning("rabbitmq.queues_were_gone", made=[change.action for change in made])


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def connect(service: Service, database: Database) -> RabbitTransport:  # noqa: ARG001 - the seam's shape
    """The transport of a service, configured from its environment."""
    return RabbitTransport(service, RabbitSettings.read(service.env_prefix + "RABBITMQ_"))
