"""Rows of the fault matrix in Kafka's groups of the newer protocol (KIP-848): brokers decide."""

from __future__ import annotations

import pytest
from confluent_kafka import ConsumerGroupType
from confluent_kafka.admin import AdminClient

from tests.delivery import rows
from tests.delivery.matrix import Stack, runs
from tests.delivery.proof import Proof
from tests.delivery.test_killed_consumers import run_with_kills, stood_still
from tests.delivery.verdict import kept

pytestmark = pytest.mark.servers

ORDERS = 1_000


@pytest.fixture
def members(service: Proof) -> Proof:
    """A service whose consumers join by the newer protocol; the brokers miss who is silent."""
    del service.env["PROOF_KAFKA_SESSION_TIMEOUT_MS"]
    service.env["PROOF_KAFKA_GROUP_PROTOCOL"] = "consumer"
    return service


def is_of_brokers(service: Proof) -> bool:
    """Whether the group was one of the newer protocol."""
    admin = AdminClient({"bootstrap.servers": service.env["PROOF_KAFKA_BOOTSTRAP_SERVERS"]})
    group = service.env["PROOF_KAFKA_GROUP_ID"]
    found = admin.describe_consumer_groups([group])[group].result(30)
    return bool(found.type is ConsumerGroupType.CONSUMER)


@runs(rows.KILLED_CONSUMER, on=[Stack.KAFKA])
def test_members_killed_at_work_lose_double_and_reorder_nothing(
    members: Proof, stack: Stack
) -> None:
    run_with_kills(members, ORDERS, kills=2)
    kept(members, ORDERS)
    assert is_of_brokers(members)


@runs(rows.REBALANCES, on=[Stack.KAFKA])
def test_a_member_that_stood_still_while_another_took_its_place(
    members: Proof, stack: Stack
) -> None:
    stood_still(members)
    kept(members, 800)
    assert is_of_brokers(members)
