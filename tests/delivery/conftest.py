"""The service under test, on the stack the test is run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.backends import EMBEDDED, SERVERS
from tests.delivery.matrix import Stack
from tests.delivery.proof import Proof, proof


@pytest.fixture
def stack() -> Stack:
    """Where the service runs; a row's test is parametrized with it."""
    return Stack.KAFKA


@pytest.fixture
def service(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Proof]:
    """A service of this test alone, on servers that all tests share."""
    backend = EMBEDDED
    if stack in SERVERS:
        server, made_of = SERVERS[stack]
        backend = made_of(request.getfixturevalue(server))
    if stack is Stack.SQLITE:
        file = str(tmp_path / "proof.db")
        url, dsn = f"sqlite:///{file}", file
    else:
        postgres = request.getfixturevalue("postgres")
        url, dsn = postgres.url, postgres.dsn
    with proof(tmp_path, backend, url, dsn) as made:
        yield made
