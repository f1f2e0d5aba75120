"""Redis with TLS: it works, or says what to correct, and is never in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.servers import redis as redis_server
from tests.support.tls import (
    SECRET,
    WRONG,
    Secured,
    cannot_be_set_up,
    is_refused,
    publishes_and_consumes,
    refuses_to_speak_without_tls,
    says_no_password,
    speaking_tls,
)

from runtime.redis import connect  # isort: skip  - assembled by the support

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with speaking_tls(redis_server) as (server, own, others, at):
        with server.client() as admin:
            admin.execute_command("ACL", "SETUSER", "shop", "on", f">{SECRET}", "+@all", "~*", "&*")
        address = at.replace("://", f"://shop:{SECRET}@")
        yield Secured(connect, "REDIS", "URL", address, own, others, {})


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


def test_certificates_are_not_given_for_nothing(secured: Secured) -> None:
    refuses_to_speak_without_tls(secured, {"URL": secured.address.replace("rediss:", "redis:")})


def test_no_password_is_ever_logged(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(says_no_password(secured, monkeypatch, capfd))
