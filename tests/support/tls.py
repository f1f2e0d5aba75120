"""A server that speaks TLS, and what a service is told of it: all, or something wrong."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.servers.base import own_server
from tests.support.certificates import PASSWORD, Certificates, make
from tests.support.databases import shared_database
from tests.support.rights import service, works

from runtime import logs  # isort: skip  - assembled by the support
from runtime.errors import ConfigurationError  # isort: skip

Connect = Callable[[Any, Any], Any]

SECRET = "s3cret-of-the-user"
SERVICE = service("orders.placed", "payments.captured")
OTHER = service("payments.captured", "orders.placed", name="payments")

# What is wrong, and the variable that the refusal names; `address` stands for the broker's own.
WRONG = {
    "no authority": "SSL_CA_LOCATION",
    "another authority": "SSL_CA_LOCATION",
    "no certificates of authorities": "SSL_CA_LOCATION",
    "another name": "address",
    "no certificate": "SSL_CERTIFICATE_LOCATION",
    "a certificate of another authority": "SSL_CERTIFICATE_LOCATION",
    "the key of another certificate": "SSL_KEY_LOCATION",
    "another password": "SSL_KEY_PASSWORD",
    "no password": "SSL_KEY_PASSWORD",
}
PLAIN = "an address without TLS"


@dataclass(frozen=True, slots=True)
class Secured:
    """A server that lets in who has a certificate, and how a service is told of it.

    `variable` is the setting with the `address`; `more` are other settings. Passwords are `SECRET`.
    """

    connect: Connect
    broker: str
    variable: str
    address: str
    certificates: Certificates
    others: Certificates  # of another authority
    more: Mapping[str, str] = field(default_factory=dict)
    plain: str = ""  # an address where the server speaks no TLS, said to do so
    clear: Mapping[str, str] = field(default_factory=dict)  # settings that ask for no TLS

    @property
    def settings(self) -> dict[str, str]:
        """All that is right, by the ends of the variables' names."""
        return {
            **self.more,
            self.variable: self.address,
            "SSL_CA_LOCATION": str(self.certificates.ca),
            "SSL_CERTIFICATE_LOCATION": str(self.certificates.client),
            "SSL_KEY_LOCATION": str(self.certificates.client_key),
            "SSL_KEY_PASSWORD": PASSWORD,
        }

    def wrong(self, what: str) -> dict[str, str]:
        """The same, of which something is wrong."""
        own = ("SSL_CERTIFICATE_LOCATION", "SSL_KEY_LOCATION", "SSL_KEY_PASSWORD")
        changes: dict[str, dict[str, str]] = {
            "no authority": {"SSL_CA_LOCATION": ""},
            "another authority": {"SSL_CA_LOCATION": str(self.others.ca)},
            "no certificates of authorities": {"SSL_CA_LOCATION": __file__},
            "another name": {self.variable: self.address.replace("localhost", "127.0.0.1")},
            "no certificate": dict.fromkeys(own, ""),
            "a certificate of another authority": {
                "SSL_CERTIFICATE_LOCATION": str(self.others.client),
                "SSL_KEY_LOCATION": str(self.others.client_key),
            },
            "the key of another certificate": {"SSL_KEY_LOCATION": str(self.others.client_key)},
            "another password": {"SSL_KEY_PASSWORD": SECRET},
            "no password": {"SSL_KEY_PASSWORD": ""},
            PLAIN: {self.variable: self.plain},
        }
        given = {**self.settings, **changes[what]}
        return {name: value for name, value in given.items() if value}


@contextmanager
def speaking_tls(module: Any) -> Iterator[tuple[Any, Certificates, Certificates, str]]:
    """A server with certificates of its own, those of another authority, and its address.

    In a folder that every user of this machine may enter, as the server can be another one's.
    """
    with tempfile.TemporaryDirectory(prefix="eventgen-tls-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        own, others = make(folder / "certificates"), make(folder / "others")
        with own_server(module, folder / "server") as server:
            yield server, own, others, server.speak_tls(own.folder)


async def publishes_and_consumes(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two services do, both with all that is right."""
    for of in (SERVICE, OTHER):
        _tell(monkeypatch, of, secured.broker, secured.settings)
    async with shared_database(SERVICE) as database, shared_database(OTHER) as others:
        own, other = secured.connect(SERVICE, database), secured.connect(OTHER, others)
        await own.provision(SERVICE.channels, dry_run=False)
        await works(own, other, SERVICE)


async def is_refused(secured: Secured, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with something wrong does not start. It says what to correct, and no password."""
    await _is_said(secured, what, monkeypatch, lambda transport: transport.start())


async def cannot_be_set_up(secured: Secured, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is its broker, as its administrator tries before there is a service."""

    def provision(transport: Any) -> Awaitable[Any]:
        made: Awaitable[Any] = transport.provision(SERVICE.channels, dry_run=True)
        return made

    await _is_said(secured, what, monkeypatch, provision)


async def _is_said(
    secured: Secured,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[Any], Awaitable[Any]],
) -> None:
    _tell(monkeypatch, SERVICE, secured.broker, secured.wrong(what))
    named = WRONG.get(what, "address").replace("address", secured.variable)
    async with shared_database(SERVICE) as database:
        transport = secured.connect(SERVICE, database)
        try:
            with pytest.raises(ConfigurationError) as why:
                await step(transport)
        finally:
            await transport.close()
    assert f"ORDERS_{secured.broker}_{named}" in str(why.value), str(why.value)
    for password in (PASSWORD, SECRET):
        assert password not in str(why.value)


def refuses_to_speak_without_tls(secured: Secured) -> None:
    """Where certificates are given, and nothing that asks for TLS."""
    environment = pytest.MonkeyPatch()
    with environment.context() as given:
        _tell(given, SERVICE, secured.broker, {**secured.settings, **secured.clear})
        with pytest.raises(ConfigurationError, match=r"ssl_ca_location is of no use with") as why:
            secured.connect(SERVICE, None)
    for password in (PASSWORD, SECRET):
        assert password not in str(why.value)


async def says_no_password(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever a service logs that works, and one that is refused."""
    with _logging_everything():
        await publishes_and_consumes(secured, monkeypatch)
        await is_refused(secured, "another authority", monkeypatch)
        structlog.get_logger("mine").info("settings", settings=secured.connect(SERVICE, None))
    said = "".join(capfd.readouterr())
    assert "mine" in said
    for password in (PASSWORD, SECRET):
        assert password not in said


@contextmanager
def _logging_everything() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("debug", "json")
    try:
        yield
    finally:
        structlog.reset_defaults()
        root.handlers = handlers
        root.setLevel(level)


def _tell(
    monkeypatch: pytest.MonkeyPatch, of: Any, broker: str, settings: Mapping[str, str]
) -> None:
    for name in WRONG.values():
        monkeypatch.delenv(f"{of.env_prefix}{broker}_{name}", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(f"{of.env_prefix}{broker}_{name}", value)
