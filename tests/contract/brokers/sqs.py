"""Amazon SQS behind SNS: an ElasticMQ with SNS in front, as `tests/servers/sqs.py` has them.

What is proven here is proven of ElasticMQ: group locks, visibility, batches, long polls. SNS is a
stand-in that hands on what is published; that AWS takes the requests for topics, subscriptions and
attributes as they are made is checked against moto's reading of the API, in `tests/sqs`. Neither is
AWS: throttling, policies, and what it does of two FIFO services at once are not proven by anything
here. A server that is killed is the address that both are at; messages stay where they are, as in
AWS they do.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from runtime.sqs import SqsSettings, SqsTransport

from tests.contract.brokers import Broker
from tests.servers.sns import ACCOUNT

# Of nobody: the servers of the tests ask for some, and take any.
for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    os.environ.setdefault(name, "test")


@asynccontextmanager
async def connect(server: Any, service: Any) -> AsyncIterator[Any]:
    settings = SqsSettings(
        region="us-east-1",
        account_id=ACCOUNT,
        sns_endpoint_url=server.url,
        sqs_endpoint_url=server.url,
        wait_seconds=1,
        visibility_seconds=15,  # so long is lost what was on a connection that is closed
    )
    transport = SqsTransport(service, settings)
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


BROKER = Broker(
    name="sqs",
    server="sqs",
    connect=connect,
    fits=196_000,  # bytes that are no text: they travel in base64
    too_large=262_145,
    cut=lambda server: server.cut(),
)
