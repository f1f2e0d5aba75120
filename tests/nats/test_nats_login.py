"""Who a service is on NATS, by a file: it works, or says what is wrong with the file."""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64decode
from importlib.util import find_spec
from pathlib import Path

import nkeys
import pytest

from tests.servers.nats import Nats
from tests.support.databases import shared_database
from tests.support.rights import service, works

from runtime import nats_login  # isort: skip  - assembled by the support
from runtime.errors import ConfigurationError  # isort: skip
from runtime.nats import NatsSettings, NatsTransport, connect  # isort: skip

PREFIX = "ORDERS_NATS_"
JWT = "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJVQSJ9.c2lnbmVk"
SERVICE = service("orders.placed", "payments.captured")
OTHER = service("payments.captured", "orders.placed", name="payments")


def seed() -> str:
    made: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return made.decode()


def public(of: str) -> str:
    key: bytes = nkeys.from_seed(bytearray(of.encode())).public_key
    return key.decode()


def credentials(of: str) -> str:
    return (
        f"-----BEGIN NATS USER JWT-----\n{JWT}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{of}\n------END USER NKEY SEED------\n"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret"


def tell(given: pytest.MonkeyPatch, url: str, name: str, file: Path) -> None:
    given.setenv(f"{PREFIX}URL", url)
    given.setenv(PREFIX + name, str(file))


@pytest.mark.servers
def test_the_holder_of_an_nkey_publishes_and_consumes(
    own_nats: Nats, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = seed()
    file.write_text(f"{own}\n")
    own_nats.let_in_key(public(own))
    tell(monkeypatch, own_nats.url, "NKEY_SEED_LOCATION", file)

    async def test() -> None:
        async with shared_database(SERVICE) as database, shared_database(OTHER) as others:
            other = NatsTransport(OTHER, NatsSettings(url=own_nats.url), others)  # type: ignore[arg-type]
            await works(connect(SERVICE, database), other, SERVICE)

    asyncio.run(test())


@pytest.mark.servers
def test_the_holder_of_another_nkey_is_refused(
    own_nats: Nats, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(own := seed())
    own_nats.let_in_key(public(seed()))
    tell(monkeypatch, own_nats.url, "NKEY_SEED_LOCATION", file)

    async def test() -> None:
        async with shared_database(SERVICE) as database:
            with pytest.raises(ConfigurationError, match="refuses this service") as refused:
                await connect(SERVICE, database).start()
        assert own not in str(refused.value)

    asyncio.run(test())


def test_credentials_are_shown_and_a_nonce_signed(file: Path) -> None:
    own = seed()
    file.write_text(credentials(own))
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "x", "version": "2.15.1", "max_payload": 1000, "nonce": "a nonce"}
        writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        said.put_nowait(await reader.readline())
        while await reader.read(1000):
            writer.write(b"PONG\r\n")
        writer.close()

    async def test() -> bytes:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            settings = NatsSettings(url=f"nats://127.0.0.1:{port}", credentials_location=file)  # type: ignore[arg-type]
            await (await settings.connect("orders", "asks")).close()
            return await said.get()

    line = asyncio.run(test())
    told = json.loads(line.removeprefix(b"CONNECT "))
    assert told["jwt"] == JWT
    holder = nkeys.from_seed(bytearray(own.encode()))
    assert holder.verify(b"a nonce", b64decode(told["sig"]))
    assert own.encode() not in line


@pytest.mark.parametrize("text", ["", "nothing", credentials("SU"), credentials("SUA").lower()])
@pytest.mark.parametrize("name", ["CREDENTIALS_LOCATION", "NKEY_SEED_LOCATION"])
def test_a_file_of_something_else_is_refused_and_not_shown(
    text: str, name: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(text)
    tell(monkeypatch, "nats://localhost:1", name, file)
    with pytest.raises(ConfigurationError, match=f"{PREFIX}{name}: .*the file must hold") as why:
        NatsSettings.read(PREFIX)
    assert JWT not in str(why.value)


def test_a_service_is_one_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (
        ("CREDENTIALS_LOCATION", credentials(seed())),
        ("NKEY_SEED_LOCATION", seed()),
    ):
        (tmp_path / name).write_text(text)
        tell(monkeypatch, "nats://localhost:1", name, tmp_path / name)
    with pytest.raises(ConfigurationError, match="are of two users"):
        NatsSettings.read(PREFIX)


def test_a_file_that_is_being_exchanged_is_waited_for(file: Path) -> None:
    file.write_text(credentials(seed()))
    settings = NatsSettings(url="nats://localhost:1", credentials_location=file)  # type: ignore[arg-type]
    file.write_text("")
    with pytest.raises(ConnectionError, match="cannot log in"):
        asyncio.run(settings.connect("orders", "asks"))


def test_what_signs_is_named_when_it_is_not_installed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_spec("nkeys") is not None
    monkeypatch.setattr(nats_login, "find_spec", lambda _: None)
    file.write_text(seed())
    tell(monkeypatch, "nats://localhost:1", "NKEY_SEED_LOCATION", file)
    with pytest.raises(ConfigurationError, match=r"depend on nats-py\[nkeys\]"):
        NatsSettings.read(PREFIX)
