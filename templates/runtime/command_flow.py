"""`pause` and `resume`: whether the events of a subscription are handled, in every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import pauses

if TYPE_CHECKING:
    from .ops import WithDatabase
    from .service import Service


def commands(service: Service, with_database: WithDatabase) -> tuple[click.Command, ...]:
    """`pause`, `resume`."""
    name = click.argument(
        "subscription", type=click.Choice([one.name for one in service.subscriptions])
    )

    @click.command("pause")
    @name
    @click.option("--reason", default="", help="For whoever wonders later.")
    def pause(subscription: str, reason: str) -> None:
        """Handle no more events of SUBSCRIPTION, in any process, until `resume`."""
        with_database(lambda database: pauses.pause(database, subscription, reason))
        click.echo(f"{subscription} pauses; its events wait on the broker")

    @click.command("resume")
    @name
    def resume(subscription: str) -> None:
        """Go on handling the events of SUBSCRIPTION."""
        paused = with_database(lambda database: pauses.resume(database, subscription))
        click.echo(f"{subscription} goes on" if paused else f"{subscription} was not paused")

    return pause, resume
