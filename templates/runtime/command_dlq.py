"""`dlq`: looking at, and deciding about, events that could not be handled."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import click

from . import ops
from .decisions import DISCARD, REPLAY, parked
from .selection import Selection

if TYPE_CHECKING:
    from .database import ParkedRow

_NOUN = "dead letter"


def command(with_database: ops.WithDatabase) -> click.Group:
    """`dlq ls`, `dlq show`, `dlq replay`, `dlq discard`."""
    group = click.Group("dlq", help="Events that could not be handled.")

    @group.command("ls")
    @click.option("--all", "all_", is_flag=True, help="Those that will be retried, too.")
    @ops.of_parked
    @ops.limit
    @ops.as_json
    def listing(all_: bool, limit: int, as_json: bool, **filters: Any) -> None:
        """List dead letters, oldest first."""
        selection = Selection(**filters)
        rows = with_database(lambda database: parked(database, selection, limit, dead=not all_))
        ops.show([_row(r) for r in rows], as_json=as_json, empty="there are no dead letters")

    @group.command("show")
    @click.argument("number", type=int)
    @ops.as_json
    def show(number: int, as_json: bool) -> None:
        """Show one event whole: why it failed, its headers, its body."""
        selection = Selection(numbers=(number,))
        rows = with_database(lambda database: parked(database, selection, 1, dead=False))
        if not rows:
            raise click.ClickException(f"there is no event {number} here")
        if as_json:
            click.echo(json.dumps(_whole(rows[0])))
        else:
            _print(rows[0])

    @group.command("replay")
    @ops.numbers
    @ops.everything
    @ops.of_parked
    @ops.rate
    @ops.dry_run
    @ops.as_json
    def replay(**options: Any) -> None:
        """Handle dead letters again, each before the later events of its key."""
        words = (_NOUN, "would be handled again", "will be handled again")
        ops.decided(with_database, REPLAY, ops.chosen(**options), words=words, **options)

    @group.command("discard")
    @ops.numbers
    @ops.everything
    @ops.of_parked
    @ops.dry_run
    @ops.yes
    @ops.as_json
    def discard(**options: Any) -> None:
        """Delete dead letters for good; the later events of their keys go on."""
        words = (_NOUN, "would be deleted", "were deleted")
        selection, question = ops.chosen(**options), "Delete them for good?"
        ops.decided(with_database, DISCARD, selection, words=words, question=question, **options)

    return group


def _row(row: ParkedRow) -> dict[str, Any]:
    return {
        "number": row.seq,
        "status": row.status,
        "subscription": row.consumer,
        "type": row.type,
        "key": row.key,
        "reason": row.reason,
        "attempts": row.attempts,
        "since": row.first_failed_at.isoformat(timespec="seconds"),
        "error": row.error,
    }


def _whole(row: ParkedRow) -> dict[str, Any]:
    """Everything; a body that is no text is in base64."""
    whole = _row(row) | {
        "event_id": str(row.event_id),
        "origin": row.origin,
        "headers": dict(row.headers),
    }
    try:
        return whole | {"body": row.body.decode()}
    except UnicodeDecodeError:
        return whole | {"body_base64": base64.b64encode(row.body).decode()}


def _print(row: ParkedRow) -> None:
    about = _row(row) | {"event id": row.event_id, "origin": row.origin}
    for name, value in about.items():
        click.echo(f"{name + ':':<14}{ops.cell(value)}")
    click.echo("headers:")
    for name, value in sorted(row.headers.items()):
        click.echo(f"  {ops.cell(name)}: {ops.cell(value)}")
    click.echo("body:")
    click.echo(ops.cell(row.body.decode(errors="replace")))
