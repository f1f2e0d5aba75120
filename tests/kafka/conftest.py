"""Makes the package `runtime` before the tests of this folder import it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import structlog

from tests.servers.kafka import Kafka
from tests.support.runtime import importable

importable()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The default of the log shows every local variable of a traceback, however large."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture
def topic(kafka: Kafka) -> str:
    """A topic of one partition, so that its offsets are the order of its messages."""
    name = f"orders.{uuid.uuid4().hex[:12]}"
    kafka.create_topic(name, partitions=1)
    return name


@pytest.fixture(params=["classic", "consumer"])
def group_protocol(request: pytest.FixtureRequest) -> str:
    """How members of a group agree: among themselves, or as the brokers decide."""
    protocol: str = request.param
    return protocol
