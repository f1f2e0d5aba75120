"""The clients of SNS and SQS that a process has, and what their errors mean.

Credentials come from where AWS's own tools have them: the environment, profiles, the role of the
task or instance. Nothing here reads, keeps or shows them. Requests are not repeated by the client:
whoever sends one knows better what to do when it fails.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# Both have no types of their own, and a service need not have the stubs there are for them.
from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import get_session  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Answered = ClientError  # the service has said no
AWAY = (BotoCoreError, OSError, TimeoutError)  # it has said nothing
UNSET = (NoCredentialsError, NoRegionError, PartialCredentialsError, ProfileNotFound)

LONGEST_WAIT = 20  # seconds that SQS waits for a message, at most
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_CONNECTIONS = 500  # every poll has one all the time
_NOT_THERE = ("NotFound", "NotFoundException", "NonExistentQueue", "QueueDoesNotExist")
_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
_UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to find the services: a region, and endpoints where they are not the usual ones."""

    region: str | None
    account: str | None
    endpoints: Mapping[str, str | None]


class Clients:
    """The clients, each made when it is first needed."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._session = get_session()
        self._made: dict[str, Any] = {}
        self._making = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._account = place.account
        self._urls: dict[str, str] = {}

    async def sns(self) -> Any:
        """The client of SNS."""
        return await self._client("sns")

    async def sqs(self) -> Any:
        """The client of SQS."""
        return await self._client("sqs")

    async def arn(self, service: str, name: str) -> str:
        """The ARN of a topic or queue of this account."""
        region = (await self._client(service)).meta.region_name
        partition = self._session.get_partition_for_region(region)
        return f"arn:{partition}:{service}:{region}:{await self._account_id()}:{name}"

    async def queue_url(self, queue: str) -> str:
        """The URL of a queue. Answered when there is none, or this service may not see it."""
        if queue not in self._urls:
            answer = await (await self.sqs()).get_queue_url(QueueName=queue)
            self._urls[queue] = str(answer["QueueUrl"])
        return self._urls[queue]

    async def count(self, queue: str) -> int:
        """About how many messages a queue has, with those that somebody holds."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        client, url = await self.sqs(), await self.queue_url(queue)
        answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    async def _account_id(self) -> str:
        if self._account is None:
            sts = await self._client("sts")
            self._account = str((await sts.get_caller_identity())["Account"])
        return self._account

    async def _client(self, service: str) -> Any:
        async with self._making:
            if service not in self._made:
                client = self._session.create_client(
                    service,
                    # Containers are given the second, which the client does not look at.
                    region_name=self._place.region or os.environ.get("AWS_REGION"),
                    endpoint_url=self._place.endpoints.get(service),
                    config=AioConfig(
                        connect_timeout=_CONNECT_SECONDS,
                        read_timeout=_ANSWER_SECONDS + LONGEST_WAIT * (service == "sqs"),
                        max_pool_connections=_CONNECTIONS,
                        retries={"total_max_attempts": 1},
                    ),
                )
                self._made[service] = await self._stack.enter_async_context(client)
            return self._made[service]

    async def close(self) -> None:
        """Disconnect."""
        async with self._making:
            self._made = {}
            await self._stack.aclose()


def code_of(error: Any) -> str:
    """What the service calls an error: the end of `AWS.SimpleQueueService.NonExistentQueue`."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2]


def is_not_there(error: Any) -> bool:
    """Whether the topic or queue does not exist."""
    return code_of(error) in _NOT_THERE


def is_denied(error: Any) -> bool:
    """Whether this service may not do that."""
    return code_of(error) in _DENIED


def is_unknown(error: Any) -> bool:
    """Whether the credentials are not those of anybody."""
    return code_of(error) in _UNKNOWN


def line(error: BaseException) -> str:
    """An error in one line."""
    return (str(error) or type(error).__name__).splitlines()[0]
