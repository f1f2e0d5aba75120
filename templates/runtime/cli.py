"""The service's command line: what each command is called, takes, and exits with.

Exit codes: 0 done, 1 findings or a crash, 2 usage or configuration, 6 something cannot be reached.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass
from functools import partial, wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from . import command_dlq, command_flow, command_outbox, command_replay, dev, doctor, logs, ops
from .app import App
from .connecting import connect_broker, connect_database, explained, require_tables
from .database import Database
from .errors import ConfigurationError
from .migrate import upgrade
from .serve import Crashed, serve
from .service import Service
from .settings import EMBEDDED, ServiceSettings, broker_of, database_url_of, load
from .transport import Change, Transport

UNREACHABLE = 6

P = ParamSpec("P")
R = TypeVar("R")

_broker = click.option("--broker", metavar="NAME", help="The service's own broker, or `embedded`.")


@dataclass(frozen=True, slots=True)
class Setup:
    """What every command starts from."""

    service: Service
    settings_type: type[ServiceSettings]

    def settings(self, broker: str | None = None) -> ServiceSettings:
        """The settings from the environment, `broker` first; logging is set up with them."""
        given = {} if broker is None else {"broker": broker}
        settings = load(self.settings_type, self.service, **given)
        logs.configure(settings.log_level, settings.log_format)
        return settings


def command(service: Service, settings_type: type[ServiceSettings]) -> click.Group:
    """The command of a service. The service may add commands of its own."""
    setup = Setup(service, settings_type)
    group = click.Group(service.name, help=f"The {service.name} service, {service.version}.")
    group.add_command(_run(setup))
    group.add_command(_relay(setup))
    group.add_command(_migrate(setup))
    group.add_command(_provision(setup))
    group.add_command(_export(setup))
    group.add_command(dev.command(service, settings_type, _explained))
    group.add_command(_doctor(setup))
    group.add_command(_lag(setup))
    with_database = partial(_with_database, setup)
    group.add_command(command_dlq.command(with_database))
    group.add_command(
        command_outbox.command(with_database, f"{service.env_prefix}OUTBOX_RETENTION_DAYS")
    )
    group.add_command(command_replay.command(service, setup.settings, _explained))
    for one in command_flow.commands(service, with_database):
        group.add_command(one)
    return group


def _run(setup: Setup) -> click.Command:
    @click.command("run")
    @_broker
    @_explained
    def run(broker: str | None) -> None:
        """Handle events, relay the outbox, and serve /livez, /readyz and /metrics."""
        settings = setup.settings(broker)
        asyncio.run(serve(lambda: App(setup.service, settings)))

    return run


def _relay(setup: Setup) -> click.Command:
    @click.command("relay")
    @_broker
    @_explained
    def relay(broker: str | None) -> None:
        """Move events from the outbox to the broker, and serve the same HTTP as `run`."""
        settings = setup.settings(broker)
        asyncio.run(serve(lambda: App(setup.service, settings, consume=False, relay=True)))

    return relay


def _migrate(setup: Setup) -> click.Command:
    @click.command("migrate")
    @_explained
    def migrate() -> None:
        """Bring the database up to date with the migrations."""
        settings = setup.settings()
        database = connect_database(setup.service, settings)  # knows its own errors
        with explained(setup.service, database):
            head = upgrade(database_url_of(settings, setup.service))
        click.echo(f"the database is at {', '.join(sorted(head))}")

    return migrate


def _provision(setup: Setup) -> click.Command:
    @click.command("provision")
    @click.option("--dry-run", is_flag=True, help="Only say what would be created.")
    @_broker
    @_explained
    def provision(dry_run: bool, broker: str | None) -> None:
        """Create on the broker what is missing there. Nothing is ever changed or deleted."""
        settings = setup.settings(broker)
        changes = asyncio.run(_provisioned(setup.service, settings, dry_run=dry_run))
        for change in changes:
            click.echo(("did " if change.done else "would ") + change.action)
        if not changes:
            click.echo("everything is there")

    return provision


def _export(setup: Setup) -> click.Command:
    @click.command("export")
    @click.option("--user", help="Who the service is on the broker. Default: its name.")
    @_broker
    @_explained
    def export(user: str | None, broker: str | None) -> None:
        """Print what the broker must have, and what this service must be allowed there.

        In the broker's own format, for those who do not set it up with `provision`.
        """
        settings = setup.settings(broker)
        database = connect_database(setup.service, settings)
        transport = connect_broker(setup.service, settings, database)
        text = transport.export(setup.service, user or setup.service.name)
        if text:
            click.echo(text, nl=False)
        else:
            click.echo("there is nothing to set up", err=True)

    return export


def _doctor(setup: Setup) -> click.Command:
    @click.command("doctor")
    @_broker
    @ops.as_json
    @_explained
    def examine(broker: str | None, as_json: bool) -> None:
        """Say what is wrong with this service's surroundings, and what to do about it."""
        settings = setup.settings(broker)
        findings = asyncio.run(doctor.examine(setup.service, settings))
        for finding in findings:
            told = f"{finding.what}\n  {finding.remedy}"
            click.echo(json.dumps(asdict(finding)) if as_json else told)
        if findings:
            raise SystemExit(1)
        if not as_json:
            click.echo("everything is well")

    return examine


def _lag(setup: Setup) -> click.Command:
    @click.command("lag")
    @_broker
    @ops.as_json
    @_explained
    def lag(broker: str | None, as_json: bool) -> None:
        """Say how many messages wait on the broker, by subscription and partition."""
        settings = setup.settings(broker)
        rows = asyncio.run(_with_transport(setup.service, settings, partial(_lags, setup.service)))
        ops.show(rows, as_json=as_json, empty="there is nothing to wait for")

    return lag


async def _lags(service: Service, transport: Transport) -> list[dict[str, Any]]:
    return [
        {"subscription": subscription.name, **asdict(found)}
        for subscription in service.subscriptions
        for found in await transport.lags(subscription, service.name)
    ]


async def _provisioned(
    service: Service, settings: ServiceSettings, *, dry_run: bool
) -> Sequence[Change]:
    async def work(transport: Transport) -> Sequence[Change]:
        return await transport.provision(service.channels, dry_run=dry_run)

    return await _with_transport(service, settings, work)


async def _with_transport(
    service: Service, settings: ServiceSettings, work: Callable[[Transport], Awaitable[R]]
) -> R:
    """Do something with the service's broker, and disconnect."""
    database = connect_database(service, settings)
    transport = connect_broker(service, settings, database)
    try:
        if broker_of(settings, service) != EMBEDDED:  # which creates its tables when it starts
            await transport.start()
        if not await transport.healthy():
            raise ConnectionError("the broker does not answer")
        return await work(transport)
    finally:
        await transport.close()
        await database.close()


def _explained(function: Callable[P, R]) -> Callable[P, R]:
    """End with a sentence instead of a traceback where the user can do something about it."""

    @wraps(function)
    def wrapped(*args: P.args, **options: P.kwargs) -> R:
        try:
            return function(*args, **options)
        except ConfigurationError as error:
            _fail(str(error), 2)
        except OSError as error:
            _fail(str(error), UNREACHABLE)
        except Crashed:
            raise SystemExit(1) from None  # the log says why

    return wrapped


@_explained
def _with_database(setup: Setup, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    """Run something with the service's database, and close it."""
    settings = setup.settings()

    async def run() -> Any:
        database = connect_database(setup.service, settings)
        try:
            await require_tables(setup.service, database)
            with explained(setup.service, database):
                return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    raise SystemExit(code)
