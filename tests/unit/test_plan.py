"""Decisions the planner takes that no golden shows."""

from __future__ import annotations

from pathlib import Path

from tests.support.generate import compile_spec, texts

SHARED = """\
asyncapi: 3.0.0
info: {title: shared, version: 1.0.0}
channels:
  first:
    address: events
    messages:
      one.happened: {payload: {type: object, properties: {id: {type: string}}}}
  second:
    address: events
    messages:
      two.happened: {payload: {type: object, properties: {id: {type: string}}}}
operations:
  takeFirst: {action: receive, channel: {$ref: '#/channels/first'}}
  takeSecond: {action: receive, channel: {$ref: '#/channels/second'}}
"""


def test_channels_with_one_address_are_one_subscription(tmp_path: Path) -> None:
    """Two readers of one destination in one group would each miss what the other got."""
    spec = tmp_path / "shared.yaml"
    spec.write_text(SHARED)
    subscribers = texts(compile_spec(spec, "kafka"))["src/shared/_generated/subscribers.py"]
    assert subscribers.count("Subscription(\n") == 1
    assert subscribers.count("route(topology.") == 2
