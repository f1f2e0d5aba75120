"""Each test of this folder runs on every broker, against its real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.support.runtime import importable

importable()

from tests.contract.brokers import Broker, known  # noqa: E402  - needs the runtime

BROKERS = known()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=BROKERS, ids=lambda broker: broker.name)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Every broker in turn."""
    made: Broker = request.param
    return made


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What goes wrong on purpose is not news."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture
def server(broker: Broker, request: pytest.FixtureRequest) -> Any:
    """A server all tests share."""
    return request.getfixturevalue(broker.server)


@pytest.fixture
def own_server(broker: Broker, request: pytest.FixtureRequest) -> Any:
    """A server of this test alone."""
    return request.getfixturevalue(f"own_{broker.server}")
