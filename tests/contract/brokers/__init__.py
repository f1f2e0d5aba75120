"""The brokers of the contract suite: each module of this package has a `BROKER`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Broker:
    """What the suite needs to know of a broker.

    `server` names the fixtures of `tests/servers`: `kafka` for `kafka` and `own_kafka`. `connect`
    gives a started transport of a service on such a server, quick to notice what goes wrong.
    A body of `fits` bytes is taken, one of `too_large` is refused for good; None where there is no
    limit. `cut` closes every client's connection, or says why nothing can. `settle` makes the
    server keep what was just provisioned through a SIGKILL, where it does not do so by itself.
    """

    name: str
    server: str
    connect: Callable[[Any, Any], AbstractAsyncContextManager[Any]]
    fits: int
    too_large: int | None
    cut: Callable[[Any], None] | str
    settle: Callable[[Any], None] = lambda _: None


def known() -> list[Broker]:
    """Every broker, by name."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [import_module(f"{__name__}.{name}").BROKER for name in found]
