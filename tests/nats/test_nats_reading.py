"""What a reading makes of what the server says, and of what it does not say."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from runtime import nats_reading
from runtime.nats_reading import Reading, Stream

pytestmark = pytest.mark.anyio

BATCH = 3


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server:
    """Where requests go; `requests` are the inboxes that are to be answered."""

    max_payload = 1_000_000

    def __init__(self) -> None:
        self.requests: list[str] = []
        link: Any = SimpleNamespace(client=self, lost=asyncio.Event())
        self.reading = Reading(link, Stream("s", 0), BATCH, asyncio.Event())

    def new_inbox(self) -> str:
        return "inbox"

    async def publish(self, _subject: str, _request: bytes, reply: str) -> None:
        self.requests.append(reply)

    async def deliver(self, *deliveries: int) -> None:
        for delivery in deliveries:
            place = SimpleNamespace(consumer=delivery, stream=10 * delivery)
            metadata = SimpleNamespace(sequence=place, num_pending=0)
            message = SimpleNamespace(headers=None, reply="ack", metadata=metadata)
            await self.reading._arrive(message)  # type: ignore[arg-type]

    async def say(self, status: str, description: str, request: int = -1) -> None:
        headers = {"Status": status, "Description": description}
        message = SimpleNamespace(headers=headers, reply="", subject=self.requests[request])
        await self.reading._arrive(message)  # type: ignore[arg-type]

    def taken(self) -> list[int]:
        return [found.sequence for found in self.reading.take()]


async def test_a_delivery_that_is_missing_ends_the_reading() -> None:
    server = Server()
    await server.reading.ask()
    await server.deliver(1, 3, 4)
    assert server.taken() == [10]
    assert server.reading.broken


async def test_more_is_asked_for_when_all_is_taken_and_the_last_request_is_answered() -> None:
    server = Server()
    for _ in range(2):
        await server.reading.ask()
    assert len(server.requests) == 1
    await server.deliver(1, 2, 3)
    await server.reading.ask()
    assert len(server.requests) == 1  # what has arrived is not taken yet
    assert server.taken() == [10, 20, 30]
    await server.reading.ask()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "description"),
    [
        ("404", "No Messages"),
        ("408", "Request Timeout"),
        ("409", "Batch Completed"),
        ("409", "Message Size Exceeds MaxBytes"),
    ],
)
async def test_an_answer_that_ends_early_is_no_end_of_the_reading(
    status: str, description: str
) -> None:
    server = Server()
    await server.reading.ask()
    await server.deliver(1)
    await server.say(status, description)
    assert server.taken() == [10]
    await server.reading.ask()
    assert len(server.requests) == 2
    assert not server.reading.broken


async def test_the_last_word_on_a_request_is_not_taken_for_that_on_the_next() -> None:
    server = Server()
    await server.reading.ask()
    await server.deliver(1, 2, 3)
    server.taken()
    await server.reading.ask()
    await server.say("409", "Batch Completed", request=0)
    await server.reading.ask()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "description"),
    [
        ("409", "Consumer Deleted"),
        ("409", "Leadership Change"),
        ("503", ""),
        ("400", "Bad Request"),
    ],
)
async def test_what_ends_the_consumer_ends_the_reading(status: str, description: str) -> None:
    server = Server()
    await server.reading.ask()
    await server.say(status, description)
    assert server.reading.broken


async def test_a_request_that_is_not_answered_ends_the_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    await server.reading.ask()
    now = nats_reading.monotonic()
    monkeypatch.setattr(nats_reading, "monotonic", lambda: now + 60)
    await server.reading.ask()
    assert server.reading.broken
