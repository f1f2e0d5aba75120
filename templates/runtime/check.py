"""What the schema of an event says beyond its model, held against the bytes themselves."""

from __future__ import annotations

import json
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from .errors import ConfigurationError

if TYPE_CHECKING:
    from jsonschema_rs import Registry, Validator

_DOCUMENT = "urn:eventgen:schemas"


class Check:
    """The schema of one event, made ready at its first use."""

    def __init__(self, file: Path, name: str) -> None:
        """`file` holds schemas by name, and those they refer to."""
        self._file = file
        self._name = name

    def prepare(self) -> None:
        """Make it ready before it is used. Raises ConfigurationError when that is impossible."""
        try:
            _ = self._validator
        except ImportError as error:
            raise ConfigurationError(
                f"the schema of {self._name} is checked by jsonschema-rs, which is not installed:"
                ' add "jsonschema-rs>=0.60,<1" to the dependencies in pyproject.toml'
            ) from error

    def faults(self, body: bytes) -> list[tuple[list[str | int], str]]:
        """What is wrong with a JSON document: the path to it, and why. Values are not named."""
        value = from_json(body, allow_inf_nan=False)
        if self._validator.is_valid(value):
            return []
        return [
            (error.instance_path, error.message) for error in self._validator.iter_errors(value)
        ]

    @cached_property
    def _validator(self) -> Validator:
        from jsonschema_rs import Draft202012Validator  # noqa: PLC0415  - 40 ms, not for everyone

        return Draft202012Validator(
            {"$ref": f"{_DOCUMENT}#/$defs/{self._name}"},
            registry=_registry(self._file),
            validate_formats=True,
            mask="the value",
        )


@cache
def _registry(file: Path) -> Registry:
    from jsonschema_rs import Registry  # noqa: PLC0415  - as above

    document: Any = json.loads(file.read_text(encoding="utf-8"))
    return Registry([(_DOCUMENT, document)])
