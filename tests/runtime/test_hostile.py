"""Hostile messages on the embedded broker: each ends as it should, and none holds up another."""

from __future__ import annotations

import pytest
from runtime.embedded import EmbeddedTransport
from runtime.transport import Outcome, Outgoing

from tests.runtime.hostile import CASES, Hostile, among_neighbours, victim

TEXT = tuple(case for case in CASES if not case.wire)


def as_outgoing(case: Hostile) -> Outgoing:
    assert case.body is not None
    headers = {name: (value or b"").decode() for name, value in case.headers}
    key = None if case.key is None else case.key.decode()
    return Outgoing("orders", key, headers, case.body)


@pytest.mark.anyio
async def test_each_ends_as_it_should_and_none_is_lost_or_holds_up_another(database):
    messages = among_neighbours(TEXT)
    transport = EmbeddedTransport(database)
    await transport.start()
    async with victim(database, "orders") as subscription:
        for message in messages:
            [sent] = await transport.publish([as_outgoing(message)])
            assert sent.outcome is Outcome.SENT
        async with subscription.consuming(transport):
            await subscription.settled(len(messages))
        assert await subscription.ends(messages) == {m.name: m.end for m in messages}
