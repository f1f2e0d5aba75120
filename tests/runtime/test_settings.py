from __future__ import annotations

import pytest
from pydantic import SecretStr
from runtime.errors import ConfigurationError
from runtime.settings import ServiceSettings, async_url, broker_of, database_url_of, load

from tests.runtime.tiny import SERVICE, Settings


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "BROKER", "HTTP_PORT", "LOG_LEVEL"):
        monkeypatch.delenv(f"TINY_{name}", raising=False)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
        ("sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
        ("mysql://h/d", "mysql://h/d"),
        ("nonsense", "nonsense"),
    ],
)
def test_urls_get_their_driver(given, used):
    assert async_url(given) == used


def test_environment_wins_over_the_file_and_options_win_over_both(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("TINY_HTTP_PORT=1001\nTINY_LOG_LEVEL=debug\nTINY_KAFKA_X=y\n")
    monkeypatch.setenv("TINY_HTTP_PORT", "1002")
    settings = load(Settings, SERVICE)
    assert (settings.http_port, settings.log_level) == (1002, "debug")
    assert load(Settings, SERVICE, http_port=1003).http_port == 1003


def test_without_a_database_it_says_which_variable_to_set():
    with pytest.raises(ConfigurationError, match=r"^TINY_DATABASE_URL is not set: set it"):
        database_url_of(load(Settings, SERVICE), SERVICE)


def test_an_empty_variable_is_not_set(monkeypatch):
    monkeypatch.setenv("TINY_DATABASE_URL", "")
    assert load(Settings, SERVICE).database_url is None


def test_everything_wrong_is_named_and_no_value_is_shown(monkeypatch):
    class Own(Settings):
        api_key: SecretStr
        secret_number: int

    monkeypatch.setenv("TINY_HTTP_PORT", "99999999")
    monkeypatch.setenv("TINY_SECRET_NUMBER", "hunter2")
    with pytest.raises(ConfigurationError) as caught:
        load(Own, SERVICE)
    message = str(caught.value)
    assert "TINY_HTTP_PORT: " in message
    assert "TINY_API_KEY is not set" in message
    assert "TINY_SECRET_NUMBER: " in message
    assert "hunter2" not in message
    assert "99999999" not in message


def test_the_url_is_not_in_the_representation():
    assert "s3cret" not in repr(ServiceSettings(database_url="postgresql://u:s3cret@h/d"))


def test_the_broker_is_the_services_own_or_the_embedded_one():
    from dataclasses import replace

    kafka = replace(SERVICE, broker="kafka")
    assert broker_of(Settings(), kafka) == "kafka"
    assert broker_of(Settings(broker="embedded"), kafka) == "embedded"
    with pytest.raises(
        ConfigurationError, match=r"TINY_BROKER is 'rabbit'.*kafka or embedded only"
    ):
        broker_of(Settings(broker="rabbit"), kafka)
