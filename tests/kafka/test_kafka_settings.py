"""Kafka's settings: read from the environment, checked, and quiet about secrets."""

from __future__ import annotations

import asyncio
import logging

import pytest
import structlog
from runtime import kafka, logs
from runtime.errors import ConfigurationError
from runtime.kafka import KafkaSettings, KafkaTransport, connect
from runtime.kafka_topics import pattern
from runtime.service import Service

PREFIX = "ORDERS_KAFKA_"
SERVICE = Service("orders", "1.0.0", "orders", "kafka", None)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PREFIX + "BOOTSTRAP_SERVERS", raising=False)


def test_a_missing_address_is_named() -> None:
    with pytest.raises(ConfigurationError, match="ORDERS_KAFKA_BOOTSTRAP_SERVERS is not set"):
        connect(SERVICE, None)


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv(PREFIX + "SASL_PASSWORD", "hunter2")
    with pytest.raises(ConfigurationError, match="of no use with PLAINTEXT") as found:
        KafkaSettings.read(PREFIX)
    assert "hunter2" not in str(found.value)
    monkeypatch.setenv(PREFIX + "SECURITY_PROTOCOL", "SASL_SSL")
    with pytest.raises(ConfigurationError, match="needs a sasl_mechanism") as found:
        KafkaSettings.read(PREFIX)
    assert "hunter2" not in str(found.value)
    monkeypatch.setenv(PREFIX + "SASL_MECHANISM", "SCRAM-SHA-512")
    settings = KafkaSettings.read(PREFIX)
    assert "hunter2" not in repr(settings)
    assert settings.client()["sasl.password"] == "hunter2"


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv(PREFIX + "PARTITIONS", "many")
    with pytest.raises(ConfigurationError, match="ORDERS_KAFKA_PARTITIONS: "):
        KafkaSettings.read(PREFIX)


def test_the_delivery_promise_cannot_be_configured_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv(
        PREFIX + "PROPERTIES",
        '{"enable.auto.commit": true, "acks": "0", "socket.timeout.ms": 5000, "linger.ms": 7}',
    )
    settings = KafkaSettings.read(PREFIX)
    assert settings.consumer("orders")["enable.auto.commit"] is False
    assert settings.producer()["acks"] == "all"
    assert settings.producer()["linger.ms"] == 7
    assert settings.client()["socket.timeout.ms"] == 5000


def test_sessions_are_set_by_whom_the_group_protocol_says(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"}
    monkeypatch.setenv(PREFIX + "BOOTSTRAP_SERVERS", "localhost:9092")
    assert ours < KafkaSettings.read(PREFIX).consumer("orders").keys()
    monkeypatch.setenv(PREFIX + "GROUP_PROTOCOL", "consumer")
    config = KafkaSettings.read(PREFIX).consumer("orders")
    assert not ours & config.keys()
    assert config["group.protocol"] == "consumer"
    monkeypatch.setenv(PREFIX + "SESSION_TIMEOUT_MS", "10000")
    with pytest.raises(ConfigurationError, match=r"group\.consumer\.session\.timeout\.ms"):
        KafkaSettings.read(PREFIX)


def test_a_property_the_client_does_not_know_is_named() -> None:
    settings = KafkaSettings(bootstrap_servers="localhost:1", properties={"no.such": 1})

    async def start() -> None:
        await KafkaTransport(SERVICE, settings).start()

    with pytest.raises(ConfigurationError, match=r"no\.such"):
        asyncio.run(start())


@pytest.mark.parametrize(
    ("destination", "subscribed"),
    [
        ("orders.placed", "orders.placed"),
        ("orders.{region}.placed", r"^orders\.[A-Za-z0-9_-]+\.placed$"),
        ("{a}-{b}", "^[A-Za-z0-9_-]+-[A-Za-z0-9_-]+$"),
    ],
)
def test_what_is_subscribed(destination: str, subscribed: str) -> None:
    assert pattern(destination) == subscribed


def test_a_broker_that_is_away_does_not_fill_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(kafka, "monotonic", lambda: clock[0])
    log = kafka._client_log()
    assert len(kafka._client_log().filters) == 1  # however many clients there are
    for attempt in range(100):
        clock[0] += 0.05
        log.error("%s: connection refused (after %dms)", "b:9092", attempt)
    log.error("b:9092: authentication failed")
    clock[0] += 60.0
    log.error("b:9092: connection refused (after 7ms)")
    assert [record.getMessage() for record in caplog.records] == [
        "b:9092: connection refused (after 0ms)",
        "b:9092: authentication failed",
        "b:9092: connection refused (after 7ms)",
    ]


def test_no_password_reaches_the_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kafka, "_PROBE_SECONDS", 0.5)
    settings = KafkaSettings(
        bootstrap_servers="127.0.0.1:1",
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="shop",
        sasl_password="hunter2",
    )

    async def start() -> None:
        transport = KafkaTransport(SERVICE, settings)
        await transport.start()
        structlog.get_logger("mine").info("started", settings=settings)
        await transport.close()

    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    logs.configure("debug", "json")
    try:
        asyncio.run(start())
    finally:
        structlog.reset_defaults()
        root.handlers, level = before
        root.setLevel(level)
    said = "".join(capfd.readouterr())
    assert "127.0.0.1:1" in said
    assert "hunter2" not in said
