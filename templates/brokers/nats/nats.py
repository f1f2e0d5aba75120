"""NATS JetStream: settings and transport. What it is made of is in the files beside this one.

The consumers that JetStream keeps for a group give what a dead process held to the next one, but
after what came later. So a partition is read by one process at a time, from a position that the
service's own database holds: see `partitions.py`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from nats.errors import AuthorizationError, SecureConnWantedError
from nats.js.errors import APIError, ServiceUnavailableError
from pydantic import Field, FilePath, HttpUrl, SecretStr, field_validator, model_validator

from . import nats_export, nats_login, nats_streams, tls
from .checkpoints import Checkpoints, provide_tables
from .errors import ConfigurationError
from .nats_link import AWAY, Link
from .nats_log import NatsLog
from .nats_names import stream_of
from .nats_producer import NatsProducer
from .partitions import PartitionConsumer
from .settings import load_broker
from .transport import Change

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from nats.js.api import StreamInfo

    from .checkpoints import Position
    from .database import Database
    from .findings import Finding, PartitionLag
    from .service import Channel, Service, Subscription
    from .transport import Consumer, Deliver, Incoming, Outgoing, Sent

_log = structlog.get_logger("eventgen.nats")

_HEALTH_SECONDS = 2.0
_PING_SECONDS = 5  # two of them without an answer, and the connection is lost
_DAY = 86_400.0
_GREETINGS = 3  # attempts at the start, when the server hangs up without a word


class NatsSettings(tls.TlsSettings):
    """NATS's settings, from environment variables: `ORDERS_NATS_URL` and so on.

    The URL is `nats://user:password@host:4222`, or `tls://`, which takes nothing less; several
    servers are joined by commas. It is never shown. The last four are for streams that `provision`
    creates; what exists stays as it is.
    """

    url: SecretStr
    # Instead of a user in the URL, one of these files.
    credentials_location: FilePath | None = None  # `.creds`, with a JWT
    nkey_seed_location: FilePath | None = None
    monitoring_url: HttpUrl | None = None  # of one server, for `doctor`
    group_id: str | None = None  # instead of the service's name, which its positions are kept by
    # Short on purpose: an event that was not confirmed stays in the outbox and is sent again.
    publish_timeout_seconds: float = Field(default=10.0, gt=0)
    message_max_bytes: int = 1_000_000
    replicas: int = Field(default=1, ge=1, le=5)
    retention_days: float = Field(default=7.0, gt=0)  # shorter than the inbox's
    stream_max_bytes: int | None = Field(default=None, gt=0)  # a full stream refuses new events
    duplicate_window_seconds: float = Field(default=120.0, ge=0.1)

    @classmethod
    def read(cls, prefix: str) -> NatsSettings:
        """Read the settings; ConfigurationError, naming the variables, if they cannot be right."""
        return load_broker(cls, "NATS", prefix)

    @field_validator("url")
    @classmethod
    def _is_of_nats(cls, url: SecretStr) -> SecretStr:
        for one in url.get_secret_value().split(","):
            parts = urlsplit(one.strip())
            if parts.scheme not in ("nats", "tls") or not parts.hostname:
                raise ValueError("each server is nats://host:port or tls://host:port")
        return url

    @field_validator("credentials_location")
    @classmethod
    def _has_credentials(cls, path: FilePath | None) -> FilePath | None:
        if path is not None:
            nats_login.read_credentials(path)
        return path

    @field_validator("nkey_seed_location")
    @classmethod
    def _has_a_seed(cls, path: FilePath | None) -> FilePath | None:
        if path is not None:
            nats_login.read_seed(path)
        return path

    @model_validator(mode="after")
    def _is_one_user(self) -> NatsSettings:
        if self.credentials_location is not None and self.nkey_seed_location is not None:
            raise ValueError("credentials_location and nkey_seed_location are of two users")
        return self

    @property
    def servers(self) -> list[str]:
        """Their URLs, with who asks."""
        return [one.strip() for one in self.url.get_secret_value().split(",")]

    @property
    def address(self) -> str:
        """Where the servers are, without who asks."""
        return ", ".join(one.rpartition("@")[2].rpartition("/")[2] for one in self.servers)

    @property
    def shape(self) -> nats_streams.Shape:
        """How streams are made."""
        return nats_streams.Shape(
            self.replicas,
            self.retention_days * _DAY,
            self.stream_max_bytes,
            self.duplicate_window_seconds,
        )

    async def connect(self, service: str, purpose: str) -> Link:
        """A new connection; the server shows it with the service's name and its purpose."""
        options: dict[str, Any] = {
            "servers": self.servers,
            "name": f"{service} {purpose}",
            "inbox_prefix": f"_INBOX_{service}",
            "ping_interval": _PING_SECONDS,
        }
        secure = any(one.startswith("tls:") for one in self.servers)
        if secure or self.ssl_ca_location or self.ssl_certificate_location:
            options["tls"] = await asyncio.to_thread(self.tls)
        options |= await asyncio.to_thread(self._login)
        return await Link.open(options, secure="tls" in options)

    def _login(self) -> dict[str, Any]:
        """Who asks, when that is not in the URL. A file may be about to be exchanged."""
        try:
            if self.credentials_location is not None:
                return nats_login.read_credentials(self.credentials_location)
            if self.nkey_seed_location is not None:
                return nats_login.read_seed(self.nkey_seed_location)
        except ValueError as error:
            raise ConnectionError(f"cannot log in: {error}") from error
        return {}


class NatsTransport:
    """A service's connections to NATS: one to publish, one for each subscription."""

    def __init__(self, service: Service, settings: NatsSettings, database: Database) -> None:
        self._service = service
        self._settings = settings
        self._database = database
        self._variables = f"{service.env_prefix}NATS_"
        self._producer = NatsProducer(
            lambda: settings.connect(service.name, "publishes"),
            service=service.name,
            seconds=settings.publish_timeout_seconds,
            most_bytes=settings.message_max_bytes,
        )

    async def start(self) -> None:
        """Connect. Servers that do not answer yet are waited for later; refusal is an error."""
        where = f"NATS at {self._settings.address}"
        for _ in range(_GREETINGS):
            try:
                async with self._asking():
                    return
            except SecureConnWantedError as error:
                raise ConfigurationError(
                    f"{where} asks for no TLS, and this service for nothing less: say nothing of "
                    "TLS in its settings, or have the server require it"
                ) from error
            except (ConnectionResetError, BrokenPipeError):
                continue  # so it does on whom it refuses, and its word may be lost on the way
            except AWAY as error:
                if _is_refusal(error):
                    raise ConfigurationError(
                        f"{where} refuses this service: {_line(error)}"
                    ) from error
                break
        _log.warning("nats.not_reachable", server=self._settings.address)

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Send messages together; the outcome of each."""
        return await self._producer.publish(messages)

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start delivering. ConfigurationError when the stream does not exist."""
        channel = subscription.channel
        await self._require(channel)

        async def look(link: Link) -> StreamInfo:
            found = await nats_streams.find(link, channel)
            if found is None:
                _log.warning("nats.stream_was_gone", stream=stream_of(channel))
                found = await nats_streams.make(link, channel, self._settings.shape)
            return found

        log = NatsLog(
            lambda: self._settings.connect(self._service.name, f"consumes {subscription.name}"),
            look,
            channel.destination,
        )
        consumer = PartitionConsumer(self._checkpoints(channel, group), log, deliver)
        consumer.start()
        return consumer

    async def history(
        self, channel: Channel, start: datetime | int
    ) -> AsyncIterator[Sequence[Incoming]]:
        """What a channel holds from a time or a sequence number on; no group takes note."""
        try:
            async with self._asking() as link:
                async for messages in nats_streams.history(link, channel, start):
                    yield messages
        except AWAY as error:
            raise ConnectionError(f"NATS does not answer: {_line(error)}") from error

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create the streams that are missing, and the tables that hold positions in them."""
        changes: list[Change] = []
        if any(subscription.channel in channels for subscription in self._service.subscriptions):
            missing = await provide_tables(self._database, dry_run=dry_run)
            changes += [Change("create the tables of positions", not dry_run)] if missing else []
        try:
            async with self._asking() as link:
                shape = self._settings.shape
                made = await nats_streams.provision(link, channels, shape, dry_run=dry_run)
                return [*changes, *made]
        except ServiceUnavailableError as error:
            raise ConfigurationError(
                f"NATS at {self._settings.address} has no JetStream, or it is not ready: start "
                "the server with a `jetstream` block"
            ) from error
        except AWAY as error:
            raise ConfigurationError(f"NATS at {self._settings.address}: {_line(error)}") from error

    def export(self, service: Service, user: str) -> str:
        """Streams and permissions, as JSON."""
        made = nats_export.configuration(service, user, self._settings.shape)
        return json.dumps(made, indent=2) + "\n"

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """How far the group has come, by partition."""
        positions = await self._positions(subscription.channel, group)
        async with self._asking() as link:
            return await nats_streams.lags(link, subscription.channel, positions)

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """What on the server does not fit the promises."""
        findings: list[Finding] = []
        async with self._asking() as link:
            for channel in service.channels:
                info = await nats_streams.find(link, channel)
                if info is not None:
                    findings += nats_streams.examine(service, channel, info, inbox_seconds)
        for subscription in service.subscriptions:
            positions = await self._positions(subscription.channel, service.name)
            findings += nats_streams.consumed(service, subscription.name, positions)
        monitoring = self._settings.monitoring_url
        url = None if monitoring is None else str(monitoring)
        findings += [finding async for finding in nats_streams.synced(service, url)]
        return findings

    async def healthy(self) -> bool:
        """Whether JetStream answers."""
        try:
            async with asyncio.timeout(_HEALTH_SECONDS), self._asking() as link:
                await link.streams.account_info()
        except (*AWAY, ConfigurationError):
            return False
        return True

    async def close(self) -> None:
        """Disconnect."""
        await self._producer.close()

    def _checkpoints(self, channel: Channel, group: str) -> Checkpoints:
        name = self._settings.group_id or group
        return Checkpoints(self._database, name, stream_of(channel))

    async def _positions(self, channel: Channel, group: str) -> Mapping[int, Position]:
        if await provide_tables(self._database, dry_run=True):
            return {}
        return await self._checkpoints(channel, group).positions()

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Link]:
        """A connection of its own, for questions. ConfigurationError when its TLS is wrong."""
        try:
            link = await self._settings.connect(self._service.name, "asks")
        except ssl.SSLError as error:
            where, url = f"NATS at {self._settings.address}", f"{self._variables}URL"
            raise tls.explain(error, where, url, self._variables) from error
        try:
            yield link
        finally:
            await link.close()

    async def _require(self, channel: Channel) -> None:
        """Refuse a stream the server does not have. A server that is away may have it."""
        try:
            async with self._asking() as link:
                found = await nats_streams.find(link, channel)
        except AWAY:
            return
        if found is None:
            raise ConfigurationError(
                f"NATS at {self._settings.address} has no stream {stream_of(channel)}: "
                f"run `{self._service.name} provision`, or have it created"
            )


def _is_refusal(error: BaseException) -> bool:
    """Whether it is the server's word on who asks. The client tells it by the text alone."""
    return isinstance(error, AuthorizationError) or "authorization violation" in str(error).lower()


def _line(error: BaseException) -> str:
    text = error.description if isinstance(error, APIError) else str(error)
    return (text or type(error).__name__).splitlines()[0]


def connect(service: Service, database: Database) -> NatsTransport:
    """The transport of a service, configured from its environment."""
    return NatsTransport(service, NatsSettings.read(service.env_prefix + "NATS_"), database)
