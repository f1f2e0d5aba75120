"""`outbox`: looking at, and deciding about, events that wait to be sent, or were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import ops
from .decisions import DISCARD_POISON, REPUBLISH, RETRY_POISON, outbox
from .selection import Selection

if TYPE_CHECKING:
    from .database import PendingRow

_NOUN = "event"


def command(with_database: ops.WithDatabase, retention: str) -> click.Group:
    """`outbox ls`, `outbox retry`, `outbox discard`, `outbox republish`.

    `retention` names the setting that makes the archive.
    """
    group = click.Group("outbox", help="Events that wait to be published.")

    @group.command("ls")
    @ops.of_events
    @ops.limit
    @ops.as_json
    def listing(limit: int, as_json: bool, **filters: Any) -> None:
        """List what waits, oldest first; poison rows are those the broker refuses for good."""
        rows = with_database(lambda database: outbox(database, Selection(**filters), limit))
        ops.show([_row(row) for row in rows], as_json=as_json, empty="the outbox is empty")

    @group.command("retry")
    @ops.numbers
    @ops.of_events
    @ops.dry_run
    @ops.as_json
    def retry(**options: Any) -> None:
        """Try poison rows again: those of these NUMBERS or filters, or all of them."""
        words = (_NOUN, "would be tried again", "will be tried again")
        ops.decided(with_database, RETRY_POISON, ops.chosen(**options), words=words, **options)

    @group.command("discard")
    @ops.numbers
    @ops.everything
    @ops.of_events
    @ops.dry_run
    @ops.yes
    @ops.as_json
    def discard(**options: Any) -> None:
        """Delete poison rows for good: their events are never sent; later ones of the keys are."""
        words, question = (_NOUN, "would be deleted", "were deleted"), "Delete them for good?"
        selection = ops.chosen(**options)
        ops.decided(
            with_database, DISCARD_POISON, selection, words=words, question=question, **options
        )

    @group.command("republish")
    @ops.of_events
    @ops.rate
    @ops.dry_run
    @ops.yes
    @ops.as_json
    def republish(**options: Any) -> None:
        """Send events again that were sent: when the broker has lost them.

        They are in the archive, which `outbox_retention_days` makes, and keep their ids: a
        consumer with an inbox takes up those it has not handled.
        """
        if options["since"] is None:
            raise click.UsageError(
                f"give --since, a time since which {retention} had the archive kept"
            )
        words = (_NOUN, "would be sent again", "will be sent again")
        selection, question = ops.chosen(**options), "Send them again to every consumer?"
        ops.decided(with_database, REPUBLISH, selection, words=words, question=question, **options)

    return group


def _row(row: PendingRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "type": row.type,
        "key": row.key,
        "destination": row.destination,
        "created": row.created_at.isoformat(timespec="seconds"),
        "attempts": row.attempts,
        "error": row.last_error or "",
    }
