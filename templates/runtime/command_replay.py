"""`replay`: handling events again that the broker still has."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from . import ops
from .connecting import connect_broker, connect_database, explained, require_tables
from .outbox import Publisher
from .replay import SAME, Replay, Replayed, look, run

if TYPE_CHECKING:
    from .service import Service
    from .settings import ServiceSettings

_GROUP = re.compile(r"[A-Za-z0-9._-]{1,100}")


def command(
    service: Service,
    settings: Callable[[str | None], ServiceSettings],
    explain: Callable[[Callable[..., None]], Callable[..., None]],
) -> click.Command:
    """The command `replay`. `settings` reads them, for a broker or the service's own."""

    @click.command("replay")
    @click.option(
        "--from", "start", required=True, type=_start, help="A time, or an offset: 0 is the first."
    )
    @click.option(
        "--group",
        required=True,
        type=_group,
        help="`same`: only what was never handled. Another name: everything, once for that name.",
    )
    @click.option("--event", "type", metavar="TYPE", help="Only events of this type.")
    @ops.dry_run
    @ops.as_json
    @click.option("--broker", metavar="NAME", help="The service's own broker, or `embedded`.")
    @explain
    def replay(dry_run: bool, as_json: bool, broker: str | None, **options: Any) -> None:
        """Handle events again that the broker still has, up to now.

        With a new group handlers do everything again that they do, also publish.
        """
        plan = Replay(**options)
        work = asyncio.run(_replayed(service, settings(broker), plan, dry_run=dry_run))
        for done in work:
            about: dict[str, Any] = {"subscription": done.subscription, "read": done.read}
            results = dict(done.results)
            click.echo(json.dumps(about | results) if as_json else _sentence(done, dry_run=dry_run))
        if plan.group == SAME and any(done.results["duplicate"] for done in work):
            click.echo("What was handled before was not handled again: see --group.", err=True)

    return replay


async def _replayed(
    service: Service, settings: ServiceSettings, plan: Replay, *, dry_run: bool
) -> Sequence[Replayed]:
    database = connect_database(service, settings)
    transport = connect_broker(service, settings, database)
    publisher = Publisher(service)
    try:
        await require_tables(service, database)
        await transport.start()
        if not await transport.healthy():
            raise ConnectionError("the broker does not answer")
        with explained(service, database):
            return [
                await (
                    look(plan, transport, subscription)
                    if dry_run
                    else run(plan, subscription, transport, database, publisher)
                )
                for subscription in service.subscriptions
            ]
    finally:
        await transport.close()
        await database.close()


def _sentence(done: Replayed, *, dry_run: bool) -> str:
    read = f"{done.subscription}: {ops.counted(done.read, 'event')}"
    if dry_run:
        return f"{read} would be handled again"
    results = ", ".join(f"{number} {result}" for result, number in sorted(done.results.items()))
    return f"{read}; {results or 'nothing to do'}"


def _start(value: str) -> datetime | int:
    return int(value) if value.isdecimal() else ops.time(value)


def _group(value: str) -> str:
    if not _GROUP.fullmatch(value):
        raise click.BadParameter("a group is a name of letters, digits, `.`, `_` and `-`")
    return value
