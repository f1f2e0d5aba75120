"""Documents of real projects become services that send and receive each of their messages."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Consumer

from tests.support import corpus
from tests.support.generate import new_service, run

pytestmark = pytest.mark.servers

DOCUMENTS = {
    "2.x with Kafka bindings": "docs/OrtemRepos__EmailSender/asyncapi.json",
    "3.0": "docs/DLS-soft2__docs/asyncapi.yaml",
    "references into companion files": "docs/Sunagatov__Iced-Latte/docs/events/asyncapi.yaml",
}

# Publishes an example of each event the service publishes, sends it one of each that it handles,
# and waits until all of them are through. Prints how many there were of each.
PLAY = """\
import asyncio, json, sys, time
from sqlalchemy import text
from {package}._generated.service import SERVICE
from {package}._runtime.app import App
from {package}._runtime.dev import play_examples
from {package}.settings import Settings

ROUTES = sum(len(subscription.routes) for subscription in SERVICE.subscriptions)
# What the service publishes to a channel it listens on comes back to it.
OWN = sum(
    subscription.channel == publication.channel
    and subscription.route(publication.event.type) is not None
    for publication in SERVICE.publications
    for subscription in SERVICE.subscriptions
)

async def main():
    async with App(SERVICE, Settings()) as app:
        await play_examples(app)
        until = time.monotonic() + 60
        handled, waiting = 0, 1
        while (handled < ROUTES + OWN or waiting) and time.monotonic() < until:
            await asyncio.sleep(0.1)
            async with app.database.transaction() as tx:
                handled = (await tx.execute(text("SELECT count(*) FROM inbox"))).scalar_one()
            if parked := await app.database.list_parked(None, None, 9):
                raise SystemExit(str([row.error for row in parked]))
            waiting = len(await app.database.list_outbox(1000))
    print(json.dumps({{
        "handled": handled, "routes": ROUTES, "own": OWN, "waiting": waiting,
        "published": len(SERVICE.publications),
        "topics": sorted(channel.destination for channel in SERVICE.channels),
        "types": sorted({{
            p.event.type for p in SERVICE.publications if p.event.envelope.name == "cloudevents"
        }}),
    }}))

asyncio.run(main())
"""


@pytest.mark.anyio
@pytest.mark.parametrize("name", DOCUMENTS)
async def test_each_message_goes_through_kafka(
    name: str, tmp_path: Path, kafka: Any, postgres: Any
) -> None:
    project = new_service(
        tmp_path, "--spec", corpus.folder() / DOCUMENTS[name], "--broker", "kafka"
    )
    (package,) = (path.parent.name for path in project.glob("src/*/main.py"))
    typed = run(sys.executable, "-m", "mypy", cwd=project)
    assert typed.returncode == 0, typed.stdout

    prefix = package.upper()
    env = {
        "PYTHONPATH": str(project / "src"),
        f"{prefix}_DATABASE_URL": postgres.url,
        f"{prefix}_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
    }
    for command in ("migrate", "provision"):
        done = run(sys.executable, "-m", package, command, cwd=project, env=env)
        assert done.returncode == 0, done.stderr
    (project / "play.py").write_text(PLAY.format(package=package))
    played = run(sys.executable, "play.py", cwd=project, env=env)
    assert played.returncode == 0, played.stderr[-3000:]
    result = json.loads(played.stdout.splitlines()[-1])

    assert result["routes"] + result["published"] > 0
    assert (result["handled"], result["waiting"]) == (result["routes"] + result["own"], 0), (
        played.stderr[-3000:]
    )
    on_the_broker = read_all(kafka.bootstrap, result["topics"], package)
    assert len(on_the_broker) == result["routes"] + result["published"]
    assert {type_ for type_, _ in on_the_broker} >= set(result["types"])
    connection = await asyncpg.connect(postgres.dsn)
    assert await connection.fetchval("SELECT count(*) FROM parked") == 0
    await connection.close()


def read_all(bootstrap: str, topics: list[str], group: str) -> list[tuple[str, Any]]:
    """Every message of some topics, as (type in its headers, JSON body)."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{group}-reader-{os.getpid()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(topics)
    found, quiet = [], time.monotonic()
    while time.monotonic() - quiet < (10 if not found else 3):
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            headers = dict(message.headers())
            found.append((headers.get("ce_type", b"").decode(), json.loads(message.value())))
            quiet = time.monotonic()
    consumer.close()
    return found
