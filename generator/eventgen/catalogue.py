"""Every finding that eventgen can report, by name, with its explanation."""

from __future__ import annotations

from eventgen.brokers import discover
from eventgen.compat import EXPLANATIONS
from eventgen.diagnostics import explanations
from eventgen.plan import protocols, sizes
from eventgen.plan.broker import Broker
from eventgen.rules import all_rules

_OF_ANY_BROKER = protocols.EXPLANATIONS | sizes.EXPLANATIONS


def explained() -> dict[str, str]:
    """Name -> Markdown: of the readers, the rules, every broker installed, and of comparisons."""
    found = explanations.load() | explanations.load(EXPLANATIONS)
    found |= {rule.name: rule.documentation for rule in all_rules()}
    found |= _OF_ANY_BROKER
    for broker in discover().values():
        found |= broker.explanations
    return dict(sorted(found.items()))


def searched(broker: Broker | None) -> frozenset[str]:
    """The names of what can be found when a specification is checked, for a broker or for none."""
    others = {} if broker is None else {**_OF_ANY_BROKER, **broker.explanations}
    rules = (rule.name for rule in all_rules())
    return frozenset((*explanations.load(), *rules, *others))


def summary(explanation: str) -> str:
    """An explanation's first line."""
    return explanation.partition("\n")[0]
