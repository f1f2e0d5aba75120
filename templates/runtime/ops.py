"""Looking at, and deciding about, what waits in the outbox and in the dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .database import Database, ParkedRow, PendingRow

# Opens the database, gives it to the function, closes it, and returns the result.
WithDatabase = Callable[[Callable[..., Coroutine[Any, Any, Any]]], Any]

_MOST = 100

_limit = click.option("--limit", default=_MOST, show_default=True, help="The most rows to list.")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def outbox(with_database: WithDatabase) -> click.Group:
    """`outbox ls`, `outbox retry`."""
    group = click.Group("outbox", help="Events that wait to be published.")

    @group.command("ls")
    @_limit
    @as_json
    def listing(limit: int, as_json: bool) -> None:
        """List what waits, oldest first; poison rows are those the broker refuses for good."""
        rows = with_database(lambda database: database.list_outbox(limit))
        show([_pending(row) for row in rows], as_json=as_json, empty="the outbox is empty")

    @group.command("retry")
    @click.argument("ids", nargs=-1, type=int)
    def retry(ids: tuple[int, ...]) -> None:
        """Try poison rows again: those of these IDS, or all of them."""
        count = with_database(lambda database: database.retry_poison(ids))
        click.echo(f"{_count(count, 'event')} will be tried again")
        _all_found(count, ids)

    return group


def dead_letters(with_database: WithDatabase) -> click.Group:
    """`dlq ls`, `dlq show`, `dlq replay`, `dlq discard`."""
    group = click.Group("dlq", help="Events that could not be handled.")

    @group.command("ls")
    @click.option("--all", "all_", is_flag=True, help="Those that will be retried, too.")
    @_limit
    @as_json
    def listing(all_: bool, limit: int, as_json: bool) -> None:
        """List dead letters, oldest first."""
        status = None if all_ else "dead"
        rows = with_database(lambda database: database.list_parked(None, status, limit))
        show([_parked(row) for row in rows], as_json=as_json, empty="there are no dead letters")

    @group.command("show")
    @click.argument("number", type=int)
    def show_one(number: int) -> None:
        """Show one event whole: why it failed, its headers, its body."""
        rows = with_database(lambda database: database.list_parked(None, None, 1_000_000))
        row = next((row for row in rows if row.seq == number), None)
        if row is None:
            raise click.ClickException(f"there is no event {number} here")
        _show_whole(row)

    @group.command("replay")
    @click.argument("numbers", nargs=-1, type=int)
    @click.option("--all", "all_", is_flag=True, help="Every dead letter.")
    @click.option("--dry-run", is_flag=True, help="Only say how many there are.")
    def replay(numbers: tuple[int, ...], all_: bool, dry_run: bool) -> None:
        """Handle dead letters again, each before the later events of its key."""
        count = with_database(_decision("replay_dead", _chosen(numbers, all_), dry_run=dry_run))
        will = "would be" if dry_run else "will be"
        click.echo(f"{_count(count, 'dead letter')} {will} handled again")
        _all_found(count, numbers)

    @group.command("discard")
    @click.argument("numbers", nargs=-1, type=int)
    @click.option("--all", "all_", is_flag=True, help="Every dead letter.")
    @click.option("--dry-run", is_flag=True, help="Only say how many there are.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def discard(numbers: tuple[int, ...], all_: bool, dry_run: bool, yes: bool) -> None:
        """Delete dead letters for good; the later events of their keys go on."""
        chosen = _chosen(numbers, all_)
        if not (dry_run or yes):
            click.confirm("Delete them for good?", abort=True, err=True)
        count = with_database(_decision("discard_dead", chosen, dry_run=dry_run))
        click.echo(f"{_count(count, 'dead letter')} {'would be' if dry_run else 'were'} deleted")
        _all_found(count, numbers)

    return group


def _chosen(numbers: tuple[int, ...], all_: bool) -> tuple[int, ...] | None:
    if bool(numbers) == all_:
        raise click.UsageError("give the numbers of dead letters, or --all")
    return None if all_ else numbers


def _decision(
    deed: str, chosen: tuple[int, ...] | None, *, dry_run: bool
) -> Callable[[Database], Coroutine[Any, Any, int]]:
    """Does `deed` to the dead letters of these numbers, or to all; how many there were."""

    async def work(database: Database) -> int:
        rows = await database.list_parked(None, "dead", 1_000_000)
        numbers = [row.seq for row in rows if chosen is None or row.seq in chosen]
        if dry_run or not numbers:
            return len(numbers)
        count: int = await getattr(database, deed)(numbers)
        return count

    return work


def _all_found(count: int, numbers: tuple[int, ...]) -> None:
    """That a number meant nothing is a finding: whoever gave it meant something."""
    if count < len(set(numbers)):
        raise click.ClickException(f"{len(set(numbers)) - count} of these numbers meant nothing")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _pending(row: PendingRow) -> dict[str, Any]:
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


def _parked(row: ParkedRow) -> dict[str, Any]:
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


def show(rows: Sequence[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    elif not rows:
        click.echo(empty)
    else:
        click.echo("\n".join(_table(rows)))


def _table(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:
    """A value on one line, without characters a terminal would act on."""
    text = "-" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)


def _show_whole(row: ParkedRow) -> None:
    for name, value in _parked(row).items():
        click.echo(f"{name + ':':<14}{_cell(value)}")
    click.echo(f"{'origin:':<14}{_cell(row.origin)}")
    click.echo("headers:")
    for name, value in sorted(row.headers.items()):
        click.echo(f"  {_cell(name)}: {_cell(value)}")
    click.echo("body:")
    click.echo(_cell(row.body.decode(errors="replace")))
