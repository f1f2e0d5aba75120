"""Amazon SNS and SQS: settings and transport. Clients, messages, producer, consumer: beside."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import structlog
from pydantic import Field
from pydantic_settings import BaseSettings

from .errors import ConfigurationError
from .settings import load_broker
from .sqs_clients import (
    AWAY,
    LONGEST_WAIT,
    UNSET,
    Answered,
    Clients,
    Place,
    is_denied,
    is_not_there,
    is_unknown,
    line,
)
from .sqs_consumer import Polling, SqsConsumer
from .sqs_export import template
from .sqs_names import Names, queue_name, topic_name
from .sqs_producer import MOST_BYTES, SnsProducer
from .sqs_topology import Topology

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from .database import Database
    from .findings import Finding, PartitionLag
    from .service import Channel, Service, Subscription
    from .transport import Change, Consumer, Deliver, Incoming, Outgoing, Sent

_log = structlog.get_logger("eventgen.sqs")

_HEALTH_SECONDS = 2.0
_URL = r"^https?://"


class SqsSettings(BaseSettings):
    """What SNS and SQS need, from environment variables: `ORDERS_SQS_REGION` and so on.

    All of it has a default: the region is that of the profile or the container, the account is the
    one that the credentials belong to. Credentials are AWS's own business, and not among these.
    """

    region: str | None = None
    account_id: str | None = Field(default=None, pattern=r"^[0-9]{12}$")
    sns_endpoint_url: str | None = Field(default=None, pattern=_URL)
    sqs_endpoint_url: str | None = Field(default=None, pattern=_URL)
    group_id: str | None = None  # instead of the service's name, which its queues begin with
    polls: int = Field(default=4, ge=1)  # of each queue at once, when there is much to do
    # A stop waits for a poll, and an idle queue is asked so often.
    wait_seconds: int = Field(default=5, ge=1, le=LONGEST_WAIT)
    # Extended while an event is held; what a killed process held is seen again after this time.
    visibility_seconds: int = Field(default=60, ge=2, le=43_200)
    # Short on purpose: an event that was not confirmed stays in the outbox and is sent again.
    publish_timeout_seconds: float = Field(default=10.0, gt=0)
    # Topics that `provision` creates allow as much. More is possible, but not without saying so.
    message_max_bytes: int = Field(default=MOST_BYTES, ge=1024, le=1_048_576)

    @classmethod
    def read(cls, prefix: str) -> SqsSettings:
        """Read the settings; ConfigurationError, naming the variables, if they cannot be right."""
        return load_broker(cls, "SNS/SQS", prefix)

    @property
    def place(self) -> Place:
        """Where the services are."""
        endpoints = {"sns": self.sns_endpoint_url, "sqs": self.sqs_endpoint_url}
        return Place(self.region, self.account_id, endpoints)


class SqsTransport:
    """A service's clients of SNS, where it publishes, and of SQS, where its queues are."""

    def __init__(self, service: Service, settings: SqsSettings) -> None:
        self._service = service
        self._settings = settings
        self._names = Names(service)
        self._clients = Clients(settings.place)
        self._producer = SnsProducer(
            self._names,
            self._clients,
            seconds=settings.publish_timeout_seconds,
            most_bytes=settings.message_max_bytes,
        )

    async def start(self) -> None:
        """Ask once. What does not answer yet is waited for later; what cannot be is an error."""
        try:
            await self._look()
        except UNSET as error:
            raise ConfigurationError(f"AWS: {line(error)}") from error
        except ValueError as error:  # an endpoint that is no URL, a region that is no name
            raise ConfigurationError(f"the SNS/SQS settings: {line(error)}") from error
        except Answered as error:
            if is_unknown(error):
                raise ConfigurationError(f"AWS refuses this service: {line(error)}") from error
        except AWAY as error:
            _log.warning("sqs.not_reachable", error=line(error))

    async def publish(self, messages: Sequence[Outgoing]) -> Sequence[Sent]:
        """Send messages together; the outcome of each."""
        return await self._producer.publish(messages)

    async def consume(self, subscription: Subscription, group: str, deliver: Deliver) -> Consumer:
        """Start delivering. ConfigurationError when the queue does not exist."""
        queue = queue_name(subscription, self._group(group))
        try:
            await self._clients.queue_url(queue)
        except Answered as error:
            if is_not_there(error):
                raise ConfigurationError(
                    f"SQS has no queue {queue}: run `{self._service.name} provision`, "
                    "or have it created"
                ) from error
            if is_denied(error):
                raise ConfigurationError(f"SQS refuses this service: {line(error)}") from error
        except AWAY:
            pass  # it may have it
        polling = Polling(
            self._settings.polls, self._settings.wait_seconds, self._settings.visibility_seconds
        )
        destination = subscription.channel.destination
        consumer = SqsConsumer(
            self._clients, queue, deliver, destination=destination, polling=polling
        )
        consumer.start()
        return consumer

    def history(
        self,
        channel: Channel,
        start: datetime | int,  # noqa: ARG002 - the protocol's shape
    ) -> AsyncIterator[Sequence[Incoming]]:
        """Queues forget what was deleted: ConfigurationError says what there is instead."""
        raise ConfigurationError(
            f"SQS does not keep the events of {channel.name} once they are handled: have them "
            "sent again by the service that published them, `outbox republish`"
        )

    async def provision(self, channels: Sequence[Channel], *, dry_run: bool) -> Sequence[Change]:
        """Create the topics, queues and subscriptions that are missing."""
        try:
            topology = self._topology(self._service.name)
            return await topology.provision(self._clients, channels, dry_run=dry_run)
        except (Answered, *AWAY) as error:
            raise ConfigurationError(f"SNS/SQS: {line(error)}") from error

    def export(self, service: Service, user: str) -> str:
        """A template of CloudFormation; the user is a role."""
        group, visibility = self._group(service.name), self._settings.visibility_seconds
        return json.dumps(template(service, group, user, visibility), indent=2) + "\n"

    async def lags(self, subscription: Subscription, group: str) -> Sequence[PartitionLag]:
        """What waits in the queue of a subscription, or is under way."""
        try:
            return await self._topology(group).lags(self._clients, subscription)
        except Answered as error:
            raise ConfigurationError(f"SNS/SQS: {line(error)}") from error

    async def examine(self, service: Service, inbox_seconds: float) -> Sequence[Finding]:
        """What there does not fit the promises."""
        del inbox_seconds  # what was deleted is not delivered again, however old
        return await self._topology(service.name).examine(self._clients, service)

    async def healthy(self) -> bool:
        """Whether both services answer."""
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                await self._look()
        except Answered as error:
            return not is_unknown(error)
        except AWAY:
            return False
        return True

    async def close(self) -> None:
        """Disconnect."""
        await self._clients.close()

    def _group(self, group: str) -> str:
        return self._settings.group_id or group

    def _topology(self, group: str) -> Topology:
        settings = self._settings
        return Topology(
            self._names,
            self._group(group),
            settings.visibility_seconds,
            settings.message_max_bytes,
        )

    async def _look(self) -> None:
        """Ask for a queue and a topic of this service, as far as it has any."""
        for subscription in self._service.subscriptions[:1]:
            await self._clients.count(queue_name(subscription, self._group(self._service.name)))
        for publication in self._service.publications[:1]:
            arn = await self._clients.arn("sns", topic_name(publication.channel))
            await (await self._clients.sns()).get_topic_attributes(TopicArn=arn)


def connect(service: Service, database: Database) -> SqsTransport:  # noqa: ARG001 - the seam's shape
    """The transport of a service, configured from its environment."""
    return SqsTransport(service, SqsSettings.read(service.env_prefix + "SQS_"))
