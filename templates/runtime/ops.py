"""What the commands for operators share: filters, tables, JSON, and asking before deleting."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from .decisions import Decision, carry_out, count
from .selection import Selection

# Opens the database, gives it to the function, closes it, and returns the result.
WithDatabase = Callable[[Callable[..., Coroutine[Any, Any, Any]]], Any]

F = TypeVar("F", bound=Callable[..., Any])

MOST = 100


def time(value: str) -> datetime:
    """A time in ISO 8601; without a zone it is UTC. Raises click's error when it is none."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        text = f"{value!r} is no time like 2026-01-31 or 2026-01-31T12:00Z"
        raise click.BadParameter(text) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


limit = click.option(
    "--limit", default=MOST, show_default=True, type=click.IntRange(1), help="The most rows."
)
as_json = click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")
dry_run = click.option("--dry-run", is_flag=True, help="Only say how many there are.")
yes = click.option("--yes", is_flag=True, help="Do not ask.")
everything = click.option("--all", "all_", is_flag=True, help="Whatever there is.")
numbers = click.argument("numbers", nargs=-1, type=int)
rate = click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="The most events a second."
)

_EVENTS = (
    click.option("--event", "type", metavar="TYPE", help="Only events of this type."),
    click.option("--key", help="Only events with this key."),
    click.option("--since", type=time, help="Only from this time on."),
    click.option("--until", type=time, help="Only before this time."),
)
_PARKED = (
    click.option("--subscription", "consumer", help="Only of this subscription."),
    click.option("--reason", help="Only with this reason."),
)


def of_events(function: F) -> F:
    """The filters that apply to every event."""
    return _decorated(function, _EVENTS)


def of_parked(function: F) -> F:
    """The filters that apply to parked events."""
    return _decorated(function, (*_PARKED, *_EVENTS))


def chosen(numbers: tuple[int, ...] = (), **options: Any) -> Selection:
    """What these options select; `all_`, where it is one, must be said.

    Raises click's usage error when nothing is said, or too much.
    """
    all_ = options.pop("all_", None)
    known = {field.name for field in fields(Selection)}
    given = Selection(**{name: value for name, value in options.items() if name in known})
    if numbers and (all_ or not given.everything):
        raise click.UsageError("give numbers or filters, not both")
    if all_ and not given.everything:
        raise click.UsageError("give filters or --all, not both")
    if all_ is False and not numbers and given.everything:
        raise click.UsageError("give numbers, filters, or --all")
    return Selection(numbers=numbers) if numbers else given


def decided(
    with_database: WithDatabase,
    decision: Decision,
    selection: Selection,
    *,
    words: tuple[str, str, str],
    question: str = "",
    **options: Any,
) -> None:
    """Carry a decision out and say what was done: `3 dead letters were deleted`.

    `words` are the noun, what would happen, and what did. With a `question`, ask first.
    """
    noun, would, did = words
    only_count = options.get("dry_run", False)
    number = with_database(lambda database: count(database, decision, selection))
    if number and not only_count:
        if question and not options.get("yes"):
            ask(f"{question} ({counted(number, noun)})")
        rate = options.get("rate")
        number = with_database(lambda database: carry_out(database, decision, selection, rate))
    if options.get("as_json"):
        click.echo(json.dumps({"count": number, "done": not only_count}))
    else:
        click.echo(f"{counted(number, noun)} {would if only_count else did}")
    missing = len(set(selection.numbers)) - number
    if selection.numbers and missing:  # whoever gave it meant something
        raise click.ClickException(f"{missing} of these numbers meant nothing")


def ask(question: str) -> None:
    """Go on only when a person agrees. Without a terminal nobody can: a usage error."""
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask at: give --yes")
    click.confirm(question, abort=True, err=True)


def counted(number: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def show(rows: Sequence[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    elif not rows:
        click.echo(empty)
    else:
        click.echo("\n".join(_table(rows)))


def cell(value: Any) -> str:
    """A value on one line, without characters a terminal would act on."""
    text = "-" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)


def _decorated(function: F, options: Iterable[Callable[[F], F]]) -> F:
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def _table(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    cells = [list(rows[0]), *([cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
