"""What eventgen says about a specification that can be read: one module for each rule.

A rule is a module with `check(service, config)`, named as its finding is with underscores for the
dashes. Its docstring is its documentation, under the headings *What it checks*, *Why*, *Example*
and *Instead*. Modules that begin with an underscore are shared by rules.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from eventgen.diagnostics import Diagnostic
from eventgen.model import Service
from eventgen.model.config import Config


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `name` is the name of its findings, `documentation` Markdown."""

    name: str
    check: Callable[[Service, Config], Iterable[Diagnostic]]
    documentation: str


def all_rules() -> tuple[Rule, ...]:
    """Every rule, sorted by name."""
    names = sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(
        Rule(name.replace("_", "-"), module.check, (module.__doc__ or "").strip())
        for name, module in zip(names, modules, strict=True)
    )


def check_all(service: Service, config: Config) -> Iterator[Diagnostic]:
    """What every rule finds in a service, as bad as a rule holds it to be."""
    for rule in all_rules():
        yield from rule.check(service, config)
