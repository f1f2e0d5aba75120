"""What `doctor` and `lag` find out, as values: the database, and every broker, say it alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .service import Service


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, and what to do about it."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far a subscription has come in one partition of one destination.

    `position` is where it goes on, `end` where the next message will be, `lag` the number between.
    """

    destination: str
    partition: int
    position: int
    end: int
    lag: int


def nobody_consumes(service: Service, subscription: str) -> Finding:
    """No process handles the events of a subscription."""
    return Finding(f"nobody consumes {subscription}", f"start `{service.name} run`")
