"""The runtime on both databases, each test with a fresh one, and a small service to use it with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.support.runtime import create_tables, importable

importable()

from runtime.databases import open_database  # noqa: E402  - assembled just now

Open = Callable[[], AbstractAsyncContextManager[Any]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres").url
    return url


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("postgres").url
    return url


@asynccontextmanager
async def opened(url: str, *, tables: bool = True) -> AsyncIterator[Any]:
    """A database, closed at the end."""
    database = open_database(url)
    try:
        if tables:
            await create_tables(database)
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(database_url: str, anyio_backend: str) -> AsyncIterator[Any]:
    async with opened(database_url) as database:
        yield database


@pytest.fixture
async def postgres_database(postgres_url: str, anyio_backend: str) -> AsyncIterator[Any]:
    async with opened(postgres_url) as database:
        yield database


@pytest.fixture
async def sqlite_database(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Any]:
    async with opened(f"sqlite:///{tmp_path / 'test.db'}") as database:
        yield database
