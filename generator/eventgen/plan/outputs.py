"""The table of every file a generation can write, whatever the broker. A row is a file kind."""

from __future__ import annotations

from functools import partial

from eventgen.model.config import Database
from eventgen.plan import build, versions, wires
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import FileKind, Owner, Subject
from eventgen.plan.observability import observability_view

_GENERATED = "src/{package}/_generated/"
_RUNTIME = "src/{package}/_runtime/"

# Plain Python, copied verbatim. `embedded` and `sqlite` always come along: `dev` and the tests of
# every service run on them.
RUNTIME_MODULES = (
    "__init__",
    "app",
    "backlog",
    "breaker",
    "check",
    "calling",
    "cli",
    "codec",
    "command_dlq",
    "command_flow",
    "command_outbox",
    "command_replay",
    "connecting",
    "consumer",
    "context",
    "database",
    "database_state",
    "databases",
    "decisions",
    "dev",
    "dialect",
    "doctor",
    "embedded",
    "embedded_log",
    "embedded_state",
    "envelope",
    "errors",
    "event",
    "findings",
    "flow",
    "handling",
    "health",
    "housekeeping",
    "lanes",
    "left_rows",
    "logs",
    "metrics",
    "migrate",
    "ops",
    "outbox",
    "parked",
    "pauses",
    "proof",
    "relay",
    "replay",
    "retry",
    "selection",
    "serve",
    "service",
    "settings",
    "spans",
    "tasks",
    "testing",
    "trace",
    "tracker",
    "transport",
    "unit_of_work",
    "upcasting",
    "wakeup",
    "wrapping",
)
# What brokers take that do not lead a group's consumers through partitions by themselves.
PARTITION_MODULES = ("checkpoints", "partitions")
# What brokers take that are reached with an address and certificates of their own.
TLS_MODULES = ("tls",)
# By which editors complete what people write for eventgen. Copied, as the runtime is.
EDITOR_SCHEMAS = ("eventgen.schema", "short.schema")
# Append only: databases have them applied, and projects keep them as they were written.
MIGRATIONS = ("0001_eventgen_tables", "0002_eventgen_flow")
_SQLITE = ("sqlite", "sqlite_sql")
DATABASE_MODULES = {
    Database.SQLITE: _SQLITE,
    Database.POSTGRES: ("postgres", "postgres_sql", *_SQLITE),
}


def common(broker: Broker) -> tuple[FileKind, ...]:
    """The rows that do not depend on what the broker is, only on its values."""
    return (
        FileKind("common/eventgen.yaml.j2", "eventgen.yaml", build.config_view, Owner.PERSON),
        *(
            FileKind(
                f"common/schemas/{name}.json", f".eventgen/schemas/{name}.json", build.package_view
            )
            for name in EDITOR_SCHEMAS
        ),
        FileKind("common/generated/__init__.py", _GENERATED + "__init__.py", build.package_view),
        FileKind("common/generated/events.py.j2", _GENERATED + "events.py", build.models_view),
        *(
            FileKind(
                f"common/deploy/observability/{name}.j2",
                f"deploy/observability/{name}",
                observability_view,
            )
            for name in ("README.md", "alerts.yaml", "dashboard.json")
        ),
        FileKind(
            "common/generated/examples.py.j2", _GENERATED + "examples.py", build.examples_view
        ),
        FileKind(
            "common/generated/publishers.py.j2", _GENERATED + "publishers.py", build.publishers_view
        ),
        FileKind(
            "common/generated/schemas.json.j2", _GENERATED + "schemas.json", build.checks_view
        ),
        FileKind(
            "common/generated/service.py.j2",
            _GENERATED + "service.py",
            partial(build.service_view, broker=broker),
        ),
        FileKind(
            "common/generated/subscribers.py.j2",
            _GENERATED + "subscribers.py",
            build.subscribers_view,
        ),
        FileKind(
            "common/generated/topology.py.j2",
            _GENERATED + "topology.py",
            partial(build.topology_view, broker=broker),
        ),
        FileKind("common/generated/wires.py.j2", _GENERATED + "wires.py", build.wires_view),
        FileKind(
            "common/handlers/__init__.py",
            "src/{package}/handlers/__init__.py",
            build.package_view,
            Owner.PERSON,
        ),
        FileKind(
            "common/handlers/handler.py.j2",
            "src/{package}/handlers/{item}.py",
            build.handler_views,
            Owner.PERSON,
        ),
        FileKind(
            "common/upcasters/__init__.py",
            "src/{package}/upcasters/__init__.py",
            versions.upcasters_view,
            Owner.PERSON,
        ),
        FileKind(
            "common/upcasters/upcaster.py.j2",
            "src/{package}/upcasters/{item}.py",
            versions.upcaster_views,
            Owner.PERSON,
        ),
        *(
            FileKind(
                f"common/migrations/{name}.py",
                f"migrations/versions/{name}.py",
                build.package_view,
                Owner.APPENDED,
            )
            for name in MIGRATIONS
        ),
        FileKind(
            "common/tests/delivery/test_delivery.py.j2",
            "tests/delivery/test_delivery.py",
            build.package_view,
        ),
        FileKind(
            "common/tests/handlers/test_handler.py.j2",
            "tests/handlers/test_{item}.py",
            build.handler_views,
            Owner.STARTER,
        ),
        FileKind(
            "common/tests/upcasters/test_upcaster.py.j2",
            "tests/upcasters/test_upcast_{item}.py",
            versions.upcaster_views,
            Owner.STARTER,
        ),
    )


def table(subject: Subject, broker: Broker) -> tuple[FileKind, ...]:
    """Every row that applies to this service."""
    return (*_runtime(subject), *common(broker), *broker.files)


def _runtime(subject: Subject) -> tuple[FileKind, ...]:
    return runtime_files(
        *RUNTIME_MODULES,
        *DATABASE_MODULES[subject.config.database],
        *wires.modules(subject.service),
    )


def runtime_files(*modules: str) -> tuple[FileKind, ...]:
    """The rows of modules in `templates/runtime/`."""
    return tuple(
        FileKind(f"runtime/{module}.py", _RUNTIME + f"{module}.py", build.package_view)
        for module in modules
    )


def broker_files(broker: str, *modules: str) -> tuple[FileKind, ...]:
    """The rows of a broker's runtime modules, which lie in its folder of `templates/brokers/`."""
    return tuple(
        FileKind(f"brokers/{broker}/{module}.py", _RUNTIME + f"{module}.py", build.package_view)
        for module in modules
    )


def _example(template: str, path: str, owner: Owner) -> FileKind:
    return FileKind(f"example/{template}", path, build.package_view, owner)


# The bundled orders example: the user's own code, as a user would write it.
EXAMPLE = (
    _example("dev.py", "src/{package}/dev.py", Owner.GIFT),
    _example("orders.py", "src/{package}/orders.py", Owner.GIFT),
    _example("tables.py", "src/{package}/tables.py", Owner.GIFT),
    _example("migrations/0003_orders.py", "migrations/versions/0003_orders.py", Owner.GIFT),
    *(
        _example(f"handlers/{name}.py", f"src/{{package}}/handlers/{name}.py", Owner.PERSON)
        for name in ("on_payment_captured", "on_payment_failed")
    ),
    *(
        _example(
            f"tests/handlers/test_{name}.py.j2", f"tests/handlers/test_{name}.py", Owner.STARTER
        )
        for name in ("on_payment_captured", "on_payment_failed")
    ),
    _example("tests/handlers/conftest.py.j2", "tests/handlers/conftest.py", Owner.GIFT),
    _example("tests/test_orders.py.j2", "tests/test_orders.py", Owner.GIFT),
)
