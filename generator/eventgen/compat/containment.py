"""Whether one JSON Schema takes every value of another: the one module that asks the library.

A schema is 2020-12 as plain data, and carries what its references name under `$defs`.
"""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eventgen.compat import structure

if TYPE_CHECKING:
    import jsonschema_rs

_DRAFT = 20


class Verdict(Enum):
    """What is known of a containment."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Schema:
    """A schema made ready, in each form when that is first asked for."""

    def __init__(self, document: Any) -> None:
        self.document = document

    def accepts(self, value: Any) -> bool | None:
        """Whether a value is allowed; None when the schema or the value cannot be understood."""
        try:
            return None if self._validator is None else self._validator.is_valid(value)
        except ValueError:  # half a surrogate pair, which is no text to the validator
            return None

    def covers(self, other: Schema) -> Verdict:
        """Whether this one allows every value that the other one allows."""
        mine, theirs = self._canonical, other._canonical
        if mine is not None and theirs is not None:
            try:
                found = Verdict(mine.covers(theirs).value)
            except ValueError:  # an operand that is not modelled
                found = Verdict.UNKNOWN
            if found is not Verdict.UNKNOWN:
                return found
        is_seen = structure.covers(self.document, other.document)
        return Verdict.YES if is_seen else Verdict.UNKNOWN

    def without(self, other: Schema) -> Any:
        """A schema of what this one allows and the other does not; None when it cannot be said."""
        import jsonschema_rs  # noqa: PLC0415 - 80 ms, needed only when schemas differ

        mine, theirs = self._canonical, other._canonical
        if mine is None or theirs is None:
            return None
        try:
            return mine.subtract(theirs).to_json_schema()
        except (jsonschema_rs.canonical.CanonicalizationError, ValueError):
            return None

    @cached_property
    def _canonical(self) -> jsonschema_rs.CanonicalSchema | None:
        import jsonschema_rs  # noqa: PLC0415 - 80 ms, needed only when schemas differ

        try:
            return jsonschema_rs.canonicalize(self.document, draft=_DRAFT, validate_formats=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            return None

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator | None:
        import jsonschema_rs  # noqa: PLC0415 - as above

        try:
            return jsonschema_rs.Draft202012Validator(self.document, validate_formats=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            return None
