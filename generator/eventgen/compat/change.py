"""One change of a specification, and whom it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from eventgen.diagnostics import Span


class Party(Enum):
    """Whose code stays as it was when the other side takes the new version."""

    PRODUCERS = "producers"  # what they write, and wrote, is read by the new version
    CONSUMERS = "consumers"  # they read what the new version writes


BOTH = (Party.PRODUCERS, Party.CONSUMERS)


@dataclass(frozen=True, slots=True)
class Break:
    """How a change breaks a party: a payload that one version allows and the other refuses.

    `examples` holds one, or none where the change is not about values. `reason` says why, where it
    is not that the payload is refused. What is not `proven` could not be shown to be harmless.
    """

    examples: tuple[Any, ...] = ()
    reason: str = ""
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """Something that differs between two versions.

    `name` is that of the finding it becomes, `message` its sentence. `old` and `new` are where it
    stands; None where it does not. `details` are for programs: path, pointer, both values.
    """

    name: str
    message: str
    old: Span | None
    new: Span | None
    breaks: Mapping[Party, Break] = field(default_factory=dict)
    warns: bool = False  # it breaks nobody, and should be known all the same
    help: str | None = None
    event: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def breaking(reason: str, *parties: Party) -> dict[Party, Break]:
    """A break of each of the parties, for one reason."""
    return dict.fromkeys(parties, Break(reason=reason))
