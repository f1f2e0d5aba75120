"""Names given on the command line or in a file -> the values they stand for."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from eventgen.brokers import discover
from eventgen.commands import show
from eventgen.commands.exits import Exit, Stop
from eventgen.commands.project import CONFIG
from eventgen.diagnostics import Diagnostic, Label, Severity, Span, has_errors
from eventgen.model.config import Config
from eventgen.plan.broker import Broker
from eventgen.spec import nearest
from eventgen.spec.config import load


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


def config(root: Path) -> Config:
    """The project's configuration. What is wrong with it goes to stderr, and stops the command."""
    read = load(root / CONFIG, CONFIG)
    findings = read.findings
    if read.config is not None and read.config.broker not in discover():
        findings += (_unknown_broker(read.config.broker, read.places.get("broker")),)
    show.findings(findings, sys.stderr)
    if read.config is None or has_errors(findings):
        raise Stop(Exit.INVALID, f"{CONFIG} cannot be used as it is; nothing was written")
    return read.config


def _unknown_broker(name: str, place: Span | None) -> Diagnostic:
    return Diagnostic(
        "unknown-broker",
        Severity.ERROR,
        f"There is no broker `{name}`",
        Label(place) if place else None,
        help=did_you_mean(name, discover()),
    )
