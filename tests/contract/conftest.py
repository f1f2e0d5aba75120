"""Each test of this folder runs on every broker, against its real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
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


class Folder:
    """The server of a broker that is a folder: it is away while it is called something else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def kill(self) -> None:
        """Be away."""
        self.folder.rename(self.folder.with_name("away"))

    def restart(self) -> None:
        """Be there again."""
        self.folder.with_name("away").rename(self.folder)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("shelf") / "files")


@pytest.fixture
def own_shelf(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "files")


@pytest.fixture
def server(broker: Broker, request: pytest.FixtureRequest) -> Any:
    """A server all tests share."""
    return request.getfixturevalue(broker.server)


@pytest.fixture
def own_server(broker: Broker, request: pytest.FixtureRequest) -> Any:
    """A server of this test alone."""
    return request.getfixturevalue(f"own_{broker.server}")
