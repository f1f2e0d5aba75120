"""Kafka: settings and transport. Producer, consumer and topics are in the files beside this one."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

import structlog
from confluent_kafka import KafkaError, KafkaException
from pydantic import Field, FilePath, HttpUrl, SecretStr, model_validator

from . import kafka_export, kafka_history, kafka_state, tls
from .errors import ConfigurationError
from .kafka_consumer import KafkaConsumer
from .kafka_producer import KafkaProducer
from .kafka_topics import is_there, pattern, provision
from .settings import load_broker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from .database import Database
    from .findings import Finding, PartitionLag
    from .service import Channel, Service, Subscription
    from .transport import Change, Consumer, Deliver, Incoming, Outgoing, Sent

_log = structlog.get_logger("eventgen.kafka")

_SAME_SECONDS = 30.0  # between two log entries of the client that differ in numbers alone
_NUMBER = re.compile(r"\d+")

_PROBE_SECONDS = 5.0
_HEALTH_SECONDS = 2.0

_REPLICAS_OF_THE_BROKER = -1

_AUTHENTICATION = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - so are the client's own codes called
        KafkaError._SSL,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
    }
)


class KafkaSettings(tls.TlsSettings):
    """Kafka's settings, from environment variables: `ORDERS_KAFKA_BOOTSTRAP_SERVERS` and so on.

    Times are in milliseconds, as Kafka's own settings are. `properties` (JSON) is for every other
    setting of the client, by librdkafka's names; the ones the delivery promise rests on win.
    """

    bootstrap_servers: str = Field(min_length=1)
    client_id: str | None = None
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    # With the mechanism OAUTHBEARER: where tokens are had, and who asks for them.
    sasl_oauth_token_url: HttpUrl | None = None
    sasl_oauth_client_id: str | None = None
    sasl_oauth_client_secret: SecretStr | None = None
    sasl_oauth_scope: str | None = None
    group_id: str | None = None  # instead of the group the service names itself
    group_instance_id: str | None = None  # static membership, for pods with stable names
    # "consumer" is the one of KIP-848, for brokers from 4.0 on: they decide who has which
    # partition, one process that joins or dies holds up no other, and they set the session timeout.
    group_protocol: Literal["classic", "consumer"] = "classic"
    session_timeout_ms: int = 45_000
    max_poll_interval_ms: int = 300_000
    # Short on purpose: an event that was not confirmed stays in the outbox and is sent again, and
    # one partition without a leader must not hold up the others of its wave.
    delivery_timeout_ms: int = 10_000
    message_max_bytes: int = 1_000_000
    partitions: int = 8  # of topics `provision` creates, where the channel does not say
    replication_factor: int | None = None  # None: the broker's default
    properties: dict[str, str | int | float | bool] = Field(default_factory=dict)

    @classmethod
    def read(cls, prefix: str) -> KafkaSettings:
        """Read the settings; ConfigurationError, naming the variables, if they cannot be right."""
        return load_broker(cls, "Kafka", prefix)

    @model_validator(mode="after")
    def _credentials_fit(self) -> KafkaSettings:
        sasl = self.security_protocol.startswith("SASL")
        if sasl and not self.sasl_mechanism:
            raise ValueError(f"security_protocol {self.security_protocol} needs a sasl_mechanism")
        if self.sasl_password is not None and not sasl:
            raise ValueError(f"a sasl_password is of no use with {self.security_protocol}")
        return self

    @model_validator(mode="after")
    def _sessions_are_ours(self) -> KafkaSettings:
        if self.group_protocol == "consumer" and "session_timeout_ms" in self.model_fields_set:
            raise ValueError(
                "session_timeout_ms is for the group_protocol classic alone; the brokers have"
                " group.consumer.session.timeout.ms"
            )
        return self

    @model_validator(mode="after")
    def _tokens_can_be_had(self) -> KafkaSettings:
        wanted = ("sasl_oauth_token_url", "sasl_oauth_client_id", "sasl_oauth_client_secret")
        given = [name for name in (*wanted, "sasl_oauth_scope") if getattr(self, name) is not None]
        by_properties = any("sasl.oauthbearer" in name for name in self.properties)
        if given and self.sasl_mechanism != "OAUTHBEARER":
            raise ValueError(f"{given[0]} is for the sasl_mechanism OAUTHBEARER alone")
        missing = [name for name in wanted if name not in given]
        if missing and (given or (self.sasl_mechanism == "OAUTHBEARER" and not by_properties)):
            raise ValueError(f"the sasl_mechanism OAUTHBEARER needs {' and '.join(missing)}")
        return self

    @property
    def lacks_tls(self) -> str | None:
        """The security protocol, when that is not TLS."""
        return None if self.security_protocol.endswith("SSL") else self.security_protocol

    def topics(self) -> dict[str, int]:
        """What topics are made with, where the channel does not say."""
        replicas = self.replication_factor or _REPLICAS_OF_THE_BROKER
        return {"partitions": self.partitions, "replicas": replicas}

    def client(self) -> dict[str, Any]:
        """What every client of the cluster is configured with."""
        config: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": self.client_id,
            "security.protocol": self.security_protocol,
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": _open(self.sasl_password),
            "sasl.oauthbearer.method": None if self.sasl_oauth_token_url is None else "oidc",
            "sasl.oauthbearer.token.endpoint.url": _text(self.sasl_oauth_token_url),
            "sasl.oauthbearer.client.id": self.sasl_oauth_client_id,
            "sasl.oauthbearer.client.secret": _open(self.sasl_oauth_client_secret),
            "sasl.oauthbearer.scope": self.sasl_oauth_scope,
            "ssl.ca.location": _text(self.ssl_ca_location),
            "ssl.certificate.location": _text(self.ssl_certificate_location),
            "ssl.key.location": _text(self.ssl_key_location),
            "ssl.key.password": _open(self.ssl_key_password),
            "socket.keepalive.enable": True,
            "allow.auto.create.topics": False,
            "log.connection.close": False,
            # A broker that comes back is found again soon.
            "reconnect.backoff.max.ms": 2000,
        }
        given = {key: value for key, value in config.items() if value is not None}
        return {**self.properties, **given}

    def producer(self) -> dict[str, Any]:
        """Confirmed by all replicas, without duplicates of its own, keys placed as Java does."""
        tuned: dict[str, Any] = {
            "linger.ms": 5,  # time to queue a wave in, which is then sent at once
            "compression.type": "lz4",
            "queue.buffering.max.kbytes": 65_536,
            "queue.buffering.max.messages": 100_000,
        }
        return {
            **tuned,
            **self.client(),
            "enable.idempotence": True,
            "acks": "all",
            "max.in.flight.requests.per.connection": 5,
            "partitioner": "murmur2_random",
            "delivery.timeout.ms": self.delivery_timeout_ms,
            "message.max.bytes": self.message_max_bytes,
            # How long an unknown topic may still be on its way to the brokers; it must be shorter
            # than the delivery timeout, or a missing topic would look like a slow broker.
            "topic.metadata.propagation.max.ms": min(3000, self.delivery_timeout_ms // 2),
        }

    def consumer(self, group: str) -> dict[str, Any]:
        """Commits are ours alone; partitions move one by one, not all at once."""
        tuned: dict[str, Any] = {
            "queued.max.messages.kbytes": 16_384,
            "topic.metadata.refresh.interval.ms": 10_000,
            "fetch.error.backoff.ms": 100,
        }
        classic: dict[str, Any] = {
            "session.timeout.ms": self.session_timeout_ms,
            "heartbeat.interval.ms": min(3000, self.session_timeout_ms // 3),
            "max.poll.interval.ms": max(self.max_poll_interval_ms, self.session_timeout_ms),
            "partition.assignment.strategy": "cooperative-sticky",
        }
        config = {
            **tuned,
            **self.client(),
            "group.id": group,
            "group.instance.id": self.group_instance_id,
            "group.protocol": self.group_protocol,
            "max.poll.interval.ms": self.max_poll_interval_ms,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            **(classic if self.group_protocol == "classic" else {}),
        }
        return {key: value for key, value in config.items() if value is not None}


class _Seldom(logging.Filter):
    """Has the client say a thing once in a while: it tries to connect many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this is news."""
        said, now = _NUMBER.sub("", record.getMessage()), monotonic()
        self._said = {old: at for old, at in self._said.items() if now - at < _SAME_SECONDS}
        return self._said.setdefault(said, now) == now


def _client_log() -> logging.Logger:
    log = logging.getLogger("eventgen.kafka")
    if not log.filters:
        log.addFilter(_Seldom())
    return log


def _open(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _text(value: FilePath | HttpUrl | None) -> str | None:
    return None if value is None else str(value)


class KafkaTransport:
    """A service's connection to a Kafka cluster."""

    def __init__(self, service: Service, settings: KafkaSettings) -> None:
        self._service = service
        self._settings = settings
        if settings.client_id is None:
            self._settings = settings.model_copy(update={"client_id": service.name})
        self._variables = f"{service.env_prefix}KAFKA_"
        self._refused: KafkaError | None = None
        self._hooks = {"error_cb": self._on_error, "logger": _client_log()}
        self._producer = KafkaProducer({**self._settings.producer(), **self._hooks})
        self._consumed: dict[tuple[str, str], str] = {}

    async def start(self) -> None:
        """Connect. A cluster that does not answer yet is waited for later; refusal is an error."""
        try:
            self._producer.start()
        except KafkaException as error:
            raise ConfigurationError(self._explain("Kafka's client", error.args[0])) from error
        if not await self._answers(_PROBE_SECONDS):
            if self._refused is not None:
                await self._producer.close()
                raise self._refusal(self._refused)
            _log.warning("kafka.not_reachable", servers=self._settings.bootstrap_servers)

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Send messages together; the outcome of each."""
        return await self._producer.publish(messages)

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start delivering. ConfigurationError when the topic does not exist."""
        destination = subscription.channel.destination
        group = self._settings.group_id or group
        other = self._consumed.setdefault((group, destination), subscription.name)
        if other != subscription.name:
            raise ConfigurationError(
                f"the subscriptions {other} and {subscription.name} would share the messages of "
                f"{destination} in the group {group}: leave the group_id to the service"
            )
        topic = pattern(destination)
        if topic == destination:
            await self._require(topic)
        config = {**self._settings.consumer(group), **self._hooks}
        try:
            consumer = KafkaConsumer(config, [topic], deliver)
            consumer.start()
        except KafkaException as error:
            raise ConfigurationError(self._explain("Kafka's client", error.args[0])) from error
        return consumer

    async def history(
        self, channel: Channel, start: datetime | int
    ) -> AsyncIterator[Sequence[Incoming]]:
        """The messages of a channel from a time or an offset up to now; no group takes note."""
        config = {**self._settings.consumer("replay"), **self._hooks}
        steps = kafka_history.read(config, pattern(channel.destination), start)
        try:
            while (found := await asyncio.to_thread(next, steps, None)) is not None:
                yield found
        finally:
            with suppress(ValueError):  # a step that was cancelled still runs, and ends by itself
                await asyncio.to_thread(steps.close)

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create the topics that are missing."""
        config = {**self._admin(), "error_cb": self._on_error}
        defaults = self._settings.topics()
        try:
            return await asyncio.to_thread(provision, config, channels, defaults, dry_run=dry_run)
        except KafkaException as error:
            raise ConfigurationError(self._explain("Kafka's client", error.args[0])) from error
        except ConfigurationError as error:
            if self._refused is None:
                raise
            raise self._refusal(self._refused) from error

    def export(self, service: Service, user: str) -> str:
        """A script for Kafka's own tools."""
        group = self._settings.group_id or service.name
        return kafka_export.script(service, group, user, self._settings.topics())

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """How far the group has come, by partition."""
        destination, group = subscription.channel.destination, self._settings.group_id or group
        return await asyncio.to_thread(kafka_state.lags, self._admin(), destination, group)

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """What on the cluster does not fit the promises."""
        group = self._settings.group_id or service.name
        return await asyncio.to_thread(
            kafka_state.examine, self._admin(), service, group, inbox_seconds
        )

    def _admin(self) -> dict[str, Any]:
        return {**self._settings.client(), "logger": _client_log()}

    async def healthy(self) -> bool:
        """Whether the cluster answers."""
        return await self._answers(_HEALTH_SECONDS)

    async def close(self) -> None:
        """Wait a little for what is on its way, and disconnect."""
        await self._producer.close()

    async def _answers(self, seconds: float) -> bool:
        try:
            await asyncio.to_thread(self._producer.client.list_topics, self._any_topic(), seconds)
        except KafkaException:
            return False
        return True

    def _any_topic(self) -> str:
        """A topic to ask about: asking about all of them would cost a large cluster dearly."""
        plain = (c.destination for c in self._service.channels if "{" not in c.destination)
        return next(plain, "__consumer_offsets")

    async def _require(self, topic: str) -> None:
        """Refuse a topic the cluster does not have. A cluster that is away may have it."""
        for delay in (0.2, 0.5, 1.0, 2.0, None):  # one just created takes a moment to be known
            try:
                there = await asyncio.to_thread(
                    is_there, self._producer.client, topic, _PROBE_SECONDS
                )
            except KafkaException:
                return
            if there:
                return
            if delay is not None:
                await asyncio.sleep(delay)
        raise ConfigurationError(
            f"Kafka at {self._settings.bootstrap_servers} has no topic {topic}: "
            f"run `{self._service.name} provision`, or have it created"
        )

    def _refusal(self, error: KafkaError) -> ConfigurationError:
        where = f"Kafka at {self._settings.bootstrap_servers} refuses this service"
        return ConfigurationError(self._explain(where, error))

    def _explain(self, what: str, error: KafkaError) -> str:
        advice = self._advise(error)
        if advice is None and error.code() in _AUTHENTICATION:
            advice = f"see the variables that begin with {self._variables}SASL_"
        return f"{what}: {error.str()}" + (f"; {advice}" if advice else "")

    def _advise(self, error: KafkaError) -> str | None:
        return tls.advise(error.str(), f"{self._variables}BOOTSTRAP_SERVERS", self._variables)

    def _on_error(self, error: KafkaError) -> None:
        # A server that does not like a certificate is just one more lost connection to the client.
        if error.code() in _AUTHENTICATION or self._advise(error):
            self._refused = error


def connect(service: Service, database: Database) -> KafkaTransport:  # noqa: ARG001 - the seam's shape
    """The transport of a service, configured from its environment."""
    return KafkaTransport(service, KafkaSettings.read(service.env_prefix + "KAFKA_"))
