"""Names given on the command line or in a file -> the values they stand for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from eventgen.brokers import discover
from eventgen.catalogue import explained
from eventgen.commands import show
from eventgen.commands.exits import Exit, Stop
from eventgen.commands.project import CONFIG
from eventgen.diagnostics import Diagnostic, Label, Severity, Span, has_errors
from eventgen.model.config import Config, Perspective
from eventgen.plan.broker import Broker
from eventgen.spec import nearest
from eventgen.spec.config import load
from eventgen.verdict import LIST


def broker(name: str) -> Broker:
    """The broker of this name, as it was given on the command line."""
    known = discover()
    if name in known:
        return known[name]
    raise Stop(Exit.USAGE, f"there is no broker `{name}`", did_you_mean(name, known))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them."""
    names = list(known)
    return nearest.did_you_mean(word, names) or f"choose one of: {', '.join(names)}"


def offer_perspective(made: argparse.ArgumentParser) -> None:
    """Let a command be told how to read `publish` and `subscribe` of AsyncAPI 2."""
    made.add_argument(
        "--v2-perspective",
        choices=[view.value for view in Perspective],
        help="whose view `publish` and `subscribe` of AsyncAPI 2 take (default: as its words say)",
    )


def perspective(word: str | None) -> Perspective | None:
    """The view of this name; None when none was given."""
    return None if word is None else Perspective(word)


def config(root: Path) -> Config:
    """The project's configuration. What is wrong with it goes to stderr, and stops the command."""
    read, findings = read_config(root)
    show.findings(findings, sys.stderr)
    if read is None:
        raise Stop(Exit.INVALID, f"{CONFIG} cannot be used as it is; nothing was written")
    return read


def read_config(root: Path, display: str = CONFIG) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    """The same with what is wrong with it; None when there are errors."""
    read = load(root / CONFIG, display)
    findings = read.findings
    if read.config is not None and read.config.broker not in discover():
        findings += (_unknown_broker(read.config.broker, read.places.get("broker")),)
    if read.named:
        known = explained()
        findings += tuple(
            _unknown_finding(name, known, place)
            for name, place in read.named.items()
            if name not in known
        )
    return (None if has_errors(findings) else read.config), findings


def findings_named(options: Iterable[str]) -> frozenset[str]:
    """The names in options that were given as `a,b`, each of them known."""
    names = frozenset(name.strip() for option in options for name in option.split(","))
    known = explained() if names else {}
    for name in sorted(names - known.keys()):
        remedy = nearest.did_you_mean(name, known) or LIST
        raise Stop(Exit.USAGE, f"no finding is called `{name}`", remedy)
    return names


def _unknown_finding(name: str, known: Iterable[str], place: Span) -> Diagnostic:
    return Diagnostic(
        "unknown-finding",
        Severity.ERROR,
        f"no finding is called `{name}`",
        Label(place),
        help=nearest.did_you_mean(name, known) or LIST,
    )


def _unknown_broker(name: str, place: Span | None) -> Diagnostic:
    return Diagnostic(
        "unknown-broker",
        Severity.ERROR,
        f"There is no broker `{name}`",
        Label(place) if place else None,
        help=did_you_mean(name, discover()),
    )
