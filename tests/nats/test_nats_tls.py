"""NATS with TLS: it works, or says what to correct, and is never in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.servers import nats as nats_server
from tests.support.tls import (
    SECRET,
    WRONG,
    Secured,
    cannot_be_set_up,
    is_refused,
    publishes_and_consumes,
    says_no_password,
    speaking_tls,
)

from runtime.nats import connect  # isort: skip  - assembled by the support

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with speaking_tls(nats_server) as (server, own, others, at):
        server.let_in({"user": "shop"}, SECRET)
        address = at.replace("://", f"://shop:{SECRET}@")
        yield Secured(connect, "NATS", "URL", address, own, others, {})


def test_with_a_certificate_a_service_publishes_and_consumes(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(publishes_and_consumes(secured, monkeypatch))


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_and_named(
    secured: Secured, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(is_refused(secured, what, monkeypatch))


@pytest.mark.parametrize("what", ["another authority", "the key of another certificate"])
def test_what_is_wrong_is_named_to_who_provisions(
    secured: Secured, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(cannot_be_set_up(secured, what, monkeypatch))


def test_no_password_is_ever_logged(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(says_no_password(secured, monkeypatch, capfd))
