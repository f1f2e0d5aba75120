"""The brokers eventgen knows: every module in this package, and every installed plug-in.

A plug-in is a distribution with an entry point in the group `eventgen.brokers` whose value is a
`Broker` with its own `templates` folder.
"""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

from eventgen.plan.broker import Broker


def discover() -> dict[str, Broker]:
    """Every broker by name, sorted; a plug-in may not take a built-in's name."""
    # A twelfth of the time of a `check` that needs no broker.
    from importlib.metadata import entry_points  # noqa: PLC0415

    modules = (
        import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    built_in: dict[str, Broker] = {module.BROKER.name: module.BROKER for module in modules}
    loaded = (point.load() for point in entry_points(group="eventgen.brokers"))
    plugged = {broker.name: broker for broker in loaded}
    known = plugged | built_in
    return {name: known[name] for name in sorted(known)}


def folders(name: str) -> tuple[Path, ...]:
    """Where a broker that is no part of eventgen has its code and its templates."""
    broker = discover().get(name)
    if broker is None or broker.templates is None:
        return ()
    return (broker.templates, Path(inspect.getfile(broker.address)).parent)


def plugged_in(*names: str) -> dict[str, tuple[str, ...]]:
    """Of these brokers, those that are no part of eventgen, and what each of them requires."""
    known = discover()
    return {
        name: known[name].requires if name in known else ()
        for name in names
        if name not in known or known[name].templates is not None
    }
