"""TLS on every broker that has it: it works, or says what to correct; never is it in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from runtime import kafka, nats, rabbitmq, redis

from tests.servers import kafka as kafka_server
from tests.servers import nats as nats_server
from tests.servers import rabbitmq as rabbitmq_server
from tests.servers import redis as redis_server
from tests.support.tls import (
    PLAIN,
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

pytestmark = pytest.mark.servers


@contextmanager
def on_kafka() -> Iterator[Secured]:
    with speaking_tls(kafka_server) as (server, own, others, at):
        more, plain = {"SECURITY_PROTOCOL": "SSL"}, server.bootstrap
        clear = {"SECURITY_PROTOCOL": "PLAINTEXT"}
        yield Secured(
            kafka.connect, "KAFKA", "BOOTSTRAP_SERVERS", at, own, others, more, plain, clear
        )


@contextmanager
def on_rabbitmq() -> Iterator[Secured]:
    with speaking_tls(rabbitmq_server) as (server, own, others, at):
        server.control("add_user", "shop", SECRET)
        server.control("set_permissions", "shop", ".*", ".*", ".*")
        address = at.replace("guest:guest", f"shop:{SECRET}")
        plain = server.url.replace("amqp:", "amqps:")
        clear = {"URL": address.replace("amqps:", "amqp:")}
        yield Secured(rabbitmq.connect, "RABBITMQ", "URL", address, own, others, {}, plain, clear)


@contextmanager
def on_redis() -> Iterator[Secured]:
    with speaking_tls(redis_server) as (server, own, others, at):
        with server.client() as admin:
            admin.execute_command("ACL", "SETUSER", "shop", "on", f">{SECRET}", "+@all", "~*", "&*")
        address = at.replace("://", f"://shop:{SECRET}@")
        clear = {"URL": address.replace("rediss:", "redis:")}
        yield Secured(redis.connect, "REDIS", "URL", address, own, others, clear=clear)


@contextmanager
def on_nats() -> Iterator[Secured]:
    with speaking_tls(nats_server) as (server, own, others, at):
        server.let_in({"user": "shop"}, SECRET)
        address = at.replace("://", f"://shop:{SECRET}@")
        yield Secured(nats.connect, "NATS", "URL", address, own, others)


SERVERS: dict[str, Callable[[], AbstractContextManager[Secured]]] = {
    "kafka": on_kafka,
    "nats": on_nats,
    "rabbitmq": on_rabbitmq,
    "redis": on_redis,
}


@pytest.fixture(scope="module", params=SERVERS)
def secured(request: pytest.FixtureRequest) -> Iterator[Secured]:
    with SERVERS[request.param]() as made:
        yield made


def test_with_a_certificate_a_service_publishes_and_consumes(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(publishes_and_consumes(secured, monkeypatch))


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_and_named(
    secured: Secured, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(is_refused(secured, what, monkeypatch))


@pytest.mark.parametrize("secured", ["kafka", "rabbitmq"], indirect=True, scope="module")
def test_an_address_without_tls_is_refused_and_named(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server answers so that the client knows."""
    asyncio.run(is_refused(secured, PLAIN, monkeypatch))


@pytest.mark.parametrize("what", ["another authority", "the key of another certificate"])
def test_what_is_wrong_is_named_to_who_provisions(
    secured: Secured, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(cannot_be_set_up(secured, what, monkeypatch))


@pytest.mark.parametrize("secured", ["kafka", "rabbitmq", "redis"], indirect=True, scope="module")
def test_certificates_are_not_given_for_nothing(secured: Secured) -> None:
    """On NATS they ask for TLS by themselves."""
    refuses_to_speak_without_tls(secured)


def test_no_password_is_ever_logged(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(says_no_password(secured, monkeypatch, capfd))
