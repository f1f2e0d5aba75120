"""What a service's people have to do when its broker is another one than before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from eventgen.brokers import discover
from eventgen.plan.broker import Broker
from eventgen.write.reconcile import Deed, Step


def advice(steps: Iterable[Step]) -> tuple[str, ...]:
    """Line by line, how to move from one broker to the other; nothing when it is the same.

    The one that stands in for any is in every runtime, so that none of its files comes or goes.
    """
    known = {broker.transport: broker for broker in discover().values()}
    left = taken = next(broker for broker in known.values() if not broker.protocols)
    where = ""
    for step in steps:
        path = PurePosixPath(step.path)
        if path.parent.name == "_runtime" and path.stem in known:
            if step.deed is Deed.REMOVE:
                left = known[path.stem]
            elif step.deed is Deed.CREATE:
                taken, where = known[path.stem], step.path
    return () if left is taken else _lines(left, taken, where)


def _lines(left: Broker, taken: Broker, where: str) -> tuple[str, ...]:
    settings = f"read in {where} which variables it has" if where else "it has no variables"
    return (
        f"moving from {left.title} to {taken.title}:",
        "  1. let the version that is running now finish: stop what publishes to it, wait until",
        "     its `lag` says 0 and its `outbox ls` shows nothing, and stop it",
        f"  2. {settings}; then `migrate` and `provision` with this version",
        "  3. start this version when the services it shares events with are on the new broker too",
        "  Dead letters, and which events were handled, are in the database and stay there.",
    )
