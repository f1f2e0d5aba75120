"""`eventgen.yaml` and `x-eventgen`."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventgen.diagnostics import Severity
from eventgen.model import Handling, Ordering, Retry
from eventgen.model.config import ChannelConfig, Config, Database, Perspective, Selection
from eventgen.spec.config import LoadedConfig, load
from eventgen.spec.load import load as load_spec

BASE = Config(spec="", broker="", database=Database.SQLITE)


def config(tmp_path: Path, text: str) -> LoadedConfig:
    path = tmp_path / "eventgen.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, "eventgen.yaml")


def test_everything_can_be_said(tmp_path: Path) -> None:
    loaded = config(
        tmp_path,
        "spec: asyncapi.yaml\nbroker: some\ndatabase: sqlite\nservice: shop\n"
        "v2_perspective: specification\nchannels:\n  orders: {ordering: none}\n"
        "  shop/payments:\n    retry: {attempts: 3, initial: 0.5, factor: 2, maximum: 60}\n"
        "check:\n  select: [a, b, c]\n  ignore: [a]\n  severity: {b: error, c: off}\n",
    )
    assert loaded.findings == ()
    assert loaded.config == Config(
        spec="asyncapi.yaml",
        broker="some",
        database=Database.SQLITE,
        service="shop",
        v2_perspective=Perspective.SPECIFICATION,
        channels={
            "orders": ChannelConfig(ordering=Ordering.NONE),
            "shop/payments": ChannelConfig(retry=Retry(3, 0.5, 2.0, 60.0)),
        },
        check=Selection(
            select=frozenset("abc"), ignore=frozenset("ac"), severity={"b": Severity.ERROR}
        ),
    )
    assert {name: place.line for name, place in loaded.named.items()} == {"a": 12, "b": 13, "c": 13}
    assert loaded.places["broker"].line == 2


def test_little_need_be_said(tmp_path: Path) -> None:
    loaded = config(tmp_path, "spec: asyncapi.yaml\nbroker: some\n")
    assert loaded.config == Config("asyncapi.yaml", "some", Database.POSTGRES)


@pytest.mark.parametrize(
    ("text", "name", "help_"),
    [
        ("broker: some", "missing-key", "`spec: asyncapi.yaml`"),
        ("spec: a.yaml\nbroker:", "missing-key", "eventgen brokers"),
        ("spec: a.yaml\nbroker: b\nbrokr: c", "unknown-key", "did you mean `broker`?"),
        ("spec: a.yaml\nbroker: b\ndatabase: postgre", "unknown-choice", "`postgres`"),
        ("spec: a.yaml\nbroker: b\nservice: [x]", "wrong-kind", ""),
        ("spec: a.yaml\nbroker: b\nchannels: [x]", "wrong-kind", ""),
        ("spec: a.yaml\nbroker: b\nchannels: {o: {retries: 1}}", "unknown-key", "`retry`"),
        ("spec: a.yaml\nbroker: b\nchannels: {o: {retry: {attempts: 2.5}}}", "out-of-range", ""),
        ("spec: a.yaml\nbroker: b\nchannels: {o: {retry: {initial: 5s}}}", "wrong-kind", "seconds"),
        ("spec: a.yaml\nbroker: b\nchannels: {o: {retry: {factor: true}}}", "wrong-kind", ""),
        ("spec: a.yaml\nbroker: b\ncheck: [x]", "wrong-kind", ""),
        ("spec: a.yaml\nbroker: b\ncheck: {ignored: [x]}", "unknown-key", "`ignore`"),
        ("spec: a.yaml\nbroker: b\ncheck: {ignore: [1]}", "wrong-kind", ""),
        ("spec: a.yaml\nbroker: b\ncheck: {select: x}", "wrong-kind", ""),
        ("spec: a.yaml\nbroker: b\ncheck: {severity: {x: warn}}", "unknown-choice", "`warning`"),
        ("spec: a.yaml\nbroker: b\nchannels: {o: {handling: {lanes: 2}}}", "unknown-key", ""),
        ("spec: a.yaml\nbroker: b\nchannels: {o: {handling: {batch: 1.5}}}", "out-of-range", ""),
        ("spec: a.yaml\nbroker: b\nchannels: {o: {handling: {rate: 0}}}", "out-of-range", ""),
        (
            "spec: a.yaml\nbroker: b\nchannels: {o: {handling: {timeout: 5s}}}",
            "wrong-kind",
            "seconds",
        ),
        ("- spec", "wrong-kind", ""),
        ("spec: [", "yaml-syntax", ""),
        ("# nothing", "file-empty", ""),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, name: str, help_: str) -> None:
    loaded = config(tmp_path, text)
    assert loaded.config is None
    (found,) = loaded.findings
    assert found.name == name
    assert help_ in (found.help or "")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path / "eventgen.yaml", "eventgen.yaml")
    assert loaded.config is None
    assert [found.name for found in loaded.findings] == ["file-missing"]


SPEC = """
eventgen: 1
service: orders
channels:
  orders: {address: shop.orders, ordering: none, retry: {attempts: 2}, handling: {rate: 5}}
  others: {}
publishes:
  order.placed: {channel: orders, key: id, data: {id: uuid}}
  order.seen: {channel: others, key: id, data: {id: uuid}}
"""


def test_the_document_speaks_and_the_configuration_wins(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(SPEC, encoding="utf-8")
    said = load_spec(path, BASE, "orders.yaml").service
    assert said is not None
    orders, others = said.channels
    assert (orders.ordering, orders.retry) == (Ordering.NONE, Retry(attempts=2))
    assert (orders.handling, others.handling) == (Handling(rate=5), Handling())
    assert (others.ordering, others.retry) == (Ordering.KEY, Retry())
    for name in ("orders", "shop.orders"):  # by key or by address
        chosen = ChannelConfig(ordering=Ordering.KEY)
        over = Config("", "", Database.SQLITE, service="Shop", channels={name: chosen})
        won = load_spec(path, over, "orders.yaml").service
        assert won is not None
        assert won.name.snake == "shop"
        assert won.channels[0].ordering is Ordering.KEY
        assert won.channels[0].retry == Retry(attempts=2)


def test_a_configured_channel_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(SPEC, encoding="utf-8")
    over = Config("", "", Database.SQLITE, channels={"order": ChannelConfig()})
    loaded = load_spec(path, over, "orders.yaml")
    assert loaded.service is None
    (found,) = loaded.findings
    assert (found.name, found.help) == ("unknown-channel", "did you mean `orders`?")
