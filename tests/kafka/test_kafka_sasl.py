"""Kafka with users: each way to say who one is works, and a wrong password is said to be wrong."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from tests.servers import kafka as kafka_server
from tests.servers.base import own_server
from tests.support.rights import service, works

from runtime.errors import ConfigurationError  # isort: skip  - assembled by the support
from runtime.kafka import KafkaSettings, KafkaTransport, connect  # isort: skip

PREFIX = "ORDERS_KAFKA_"
USER, PASSWORD, WRONG = "shop", "s3cret-of-the-user", "s3cret-of-nobody"
MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
TOKEN_URL = "https://login.example.com/token"


class _Tokens(BaseHTTPRequestHandler):
    """Gives tokens that nobody has signed to whom it knows."""

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        asked = parse_qs(self.rfile.read(size).decode())
        _, _, said = self.headers["Authorization"].partition(" ")
        known = b64decode(said).decode() == f"{USER}:{PASSWORD}" and asked["scope"] == ["events"]
        answer = {"access_token": _token(), "expires_in": 300} if known else {"error": "no"}
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _token() -> str:
    now = int(time.time())
    parts = ({"alg": "none"}, {"sub": USER, "iat": now, "exp": now + 300})
    return "".join(
        urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") + "." for p in parts
    )


@dataclass(frozen=True)
class Asking:
    """A server that asks who comes, and where it is without."""

    address: str
    plain: str
    tokens: str

    def tell(self, given: pytest.MonkeyPatch, mechanism: str, password: str) -> None:
        """What a service is told."""
        common = {
            "BOOTSTRAP_SERVERS": self.address,
            "SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "SASL_MECHANISM": mechanism,
            "SESSION_TIMEOUT_MS": "6000",
        }
        who = {"SASL_USERNAME": USER, "SASL_PASSWORD": password}
        token = {
            "SASL_OAUTH_TOKEN_URL": self.tokens,
            "SASL_OAUTH_CLIENT_ID": USER,
            "SASL_OAUTH_CLIENT_SECRET": password,
            "SASL_OAUTH_SCOPE": "events",
        }
        for name, value in {**common, **(token if mechanism == "OAUTHBEARER" else who)}.items():
            given.setenv(PREFIX + name, value)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    tokens = HTTPServer(("127.0.0.1", 0), _Tokens)
    threading.Thread(target=tokens.serve_forever, daemon=True).start()
    with own_server(kafka_server, tmp_path_factory.mktemp("sasl") / "kafka") as server:
        address = server.ask_who(USER, PASSWORD)
        yield Asking(address, server.bootstrap, f"http://127.0.0.1:{tokens.server_port}/token")
    tokens.shutdown()
    tokens.server_close()


@pytest.mark.servers
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_who_says_who_it_is_publishes_and_consumes(
    asking: Asking, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = mechanism.lower()
    of = service(f"placed.{word}", f"captured.{word}")

    async def test() -> None:
        asking.tell(monkeypatch, mechanism, PASSWORD)
        other = KafkaTransport(of, KafkaSettings(bootstrap_servers=asking.plain))
        await works(connect(of, None), other, of)  # type: ignore[arg-type]

    asyncio.run(test())


@pytest.mark.servers
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_is_refused_and_not_shown(
    asking: Asking,
    mechanism: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    of = service("placed", "captured")

    async def test() -> None:
        asking.tell(monkeypatch, mechanism, WRONG)
        with pytest.raises(ConfigurationError, match=r"refuses.*ORDERS_KAFKA_SASL_") as refused:
            await connect(of, None).start()  # type: ignore[arg-type]
        assert WRONG not in str(refused.value)

    asyncio.run(test())
    assert WRONG not in caplog.text


def settings(**given: str) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers="localhost:1",
        security_protocol="SASL_SSL",
        **given,  # type: ignore[arg-type]
    )


def test_tokens_are_had_with_the_clients_own_settings() -> None:
    made = settings(
        sasl_mechanism="OAUTHBEARER",
        sasl_oauth_token_url=TOKEN_URL,
        sasl_oauth_client_id="orders",
        sasl_oauth_client_secret=PASSWORD,
        sasl_oauth_scope="events",
    )
    assert PASSWORD not in repr(made)
    client = made.client()
    assert {name: client[name] for name in client if name.startswith("sasl.")} == {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.token.endpoint.url": TOKEN_URL,
        "sasl.oauthbearer.client.id": "orders",
        "sasl.oauthbearer.client.secret": PASSWORD,
        "sasl.oauthbearer.scope": "events",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"SASL_MECHANISM": "OAUTHBEARER"},
            "needs sasl_oauth_token_url and sasl_oauth_client_id and sasl_oauth_client_secret",
        ),
        (
            {
                "SASL_MECHANISM": "OAUTHBEARER",
                "SASL_OAUTH_TOKEN_URL": TOKEN_URL,
                "SASL_OAUTH_CLIENT_SECRET": PASSWORD,
            },
            "needs sasl_oauth_client_id$",
        ),
        (
            {"SASL_MECHANISM": "PLAIN", "SASL_OAUTH_CLIENT_SECRET": PASSWORD},
            "sasl_oauth_client_secret is for the sasl_mechanism OAUTHBEARER alone",
        ),
        (
            {"SASL_MECHANISM": "OAUTHBEARER", "SASL_OAUTH_TOKEN_URL": "nowhere"},
            "ORDERS_KAFKA_SASL_OAUTH_TOKEN_URL: ",
        ),
    ],
)
def test_what_tokens_need_is_said(
    given: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = {"BOOTSTRAP_SERVERS": "localhost:1", "SECURITY_PROTOCOL": "SASL_SSL"}
    for name, value in {**common, **given}.items():
        monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ConfigurationError, match=said) as refused:
        KafkaSettings.read(PREFIX)
    assert PASSWORD not in str(refused.value)


def test_tokens_of_another_kind_are_had_with_properties() -> None:
    made = KafkaSettings(
        bootstrap_servers="localhost:1",
        security_protocol="SASL_SSL",
        sasl_mechanism="OAUTHBEARER",
        properties={"sasl.oauthbearer.method": "default", "sasl.oauthbearer.config": "sub=orders"},
    )
    assert made.client()["sasl.oauthbearer.config"] == "sub=orders"
    assert made.client()["sasl.oauthbearer.method"] == "default"
