"""`compose.yaml` is what the Compose Specification allows, and refers to nothing that is not there.

The schema is ours: the part of https://compose-spec.io that the templates use, closed, so that a
misspelt key is an error.
"""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml
from eventgen.brokers import discover
from eventgen.model.config import Database

from tests.support.generate import SPECS, compile_spec, texts

STRINGS = {"type": "array", "items": {"type": "string"}}
DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}
CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"]
SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["image"]}, {"required": ["build"]}],
    "properties": {
        "image": {"type": "string", "minLength": 1},
        "build": {"type": ["string", "object"]},
        "command": {"anyOf": [{"type": "string"}, STRINGS]},
        "environment": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "null"]},
        },
        "ports": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^([\d.]+:)?\d+:\d+$"},
        },
        "volumes": STRINGS,
        "configs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["source", "target"],
                "additionalProperties": False,
                "properties": {"source": {"type": "string"}, "target": {"type": "string"}},
            },
        },
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "stop_grace_period": DURATION,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["condition"],
                "additionalProperties": False,
                "properties": {"condition": {"enum": CONDITIONS}},
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "test": {"anyOf": [{"type": "string"}, STRINGS]},
                "disable": {"type": "boolean"},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer", "minimum": 1},
            },
        },
    },
}
COMPOSE = {
    "type": "object",
    "required": ["services"],
    "additionalProperties": False,
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[a-zA-Z0-9._-]+$"},
            "additionalProperties": SERVICE,
        },
        "volumes": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
        "configs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["content"],
                "additionalProperties": False,
                "properties": {"content": {"type": "string", "pattern": "^[^$]*$"}},
            },
        },
    },
}


def problems(document: dict[str, Any]) -> list[str]:
    found = [
        error.message for error in jsonschema.Draft202012Validator(COMPOSE).iter_errors(document)
    ]
    services, volumes = document["services"], document.get("volumes") or {}
    configs = document.get("configs") or {}
    for name, service in services.items():
        others = service.get("depends_on", {})
        found += [f"{name} depends on {other}" for other in others if other not in services]
        mounts = (mount.split(":")[0] for mount in service.get("volumes", []))
        found += [f"{name} mounts {mount}" for mount in mounts if mount not in volumes]
        used = (config["source"] for config in service.get("configs", []))
        found += [f"{name} is given {config}" for config in used if config not in configs]
    return found


@pytest.mark.parametrize("database", Database)
@pytest.mark.parametrize("broker", discover())
def test_compose_is_valid(broker: str, database: Database) -> None:
    made = texts(compile_spec(SPECS / "orders.yaml", broker, database))
    assert problems(yaml.safe_load(made["compose.yaml"])) == []


def test_mistakes_are_seen() -> None:
    services = {"a": {"image": "x", "port": ["1:1"], "depends_on": {"b": {"condition": "ready"}}}}
    found = problems({"services": services})
    assert len(found) == 3, found
