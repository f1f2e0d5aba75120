"""What becomes of a batch of which SNS takes a part, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError
from runtime.service import Channel, Service, Subscription
from runtime.sqs_names import Names
from runtime.sqs_producer import SnsProducer
from runtime.transport import Outcome, Outgoing, Sent

CHANNEL = Channel("orders", "orders", "orders")
SERVICE = Service("o", "1", "o", "", None, subscriptions=(Subscription("s", CHANNEL, ()),))  # type: ignore[arg-type]

Answer = Callable[[list[dict[str, Any]]], dict[str, Any]]


class Clients:
    """Stands for SNS: `answer` is what it says to the entries of a request."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[list[dict[str, Any]]] = []

    async def sns(self) -> Clients:
        return self

    async def arn(self, _service: str, name: str) -> str:
        return f"arn:{name}"

    async def publish_batch(self, TopicArn: str, **values: Any) -> dict[str, Any]:  # noqa: N803
        assert TopicArn == "arn:orders.fifo"
        entries = values["PublishBatchRequestEntries"]
        self.requests.append(entries)
        return self.answer(entries)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PublishBatch")


def taken(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Successful": [{"Id": one["Id"]} for one in entries]}


def published(clients: Clients, *bodies: bytes, most_bytes: int = 1000) -> list[Sent]:
    producer = SnsProducer(Names(SERVICE), clients, seconds=5, most_bytes=most_bytes)  # type: ignore[arg-type]
    messages = [Outgoing("orders", f"{n}", {}, body) for n, body in enumerate(bodies)]
    return asyncio.run(producer.publish(messages))


def outcomes(sent: list[Sent]) -> list[Outcome]:
    return [one.outcome for one in sent]


def test_a_part_that_is_not_taken_is_told_from_the_rest() -> None:
    def answer(entries: list[dict[str, Any]]) -> dict[str, Any]:
        failed = [
            {"Id": "1", "Code": "InternalError", "SenderFault": False, "Message": "later"},
            {"Id": "2", "Code": "InvalidParameter", "SenderFault": True, "Message": "bad"},
        ]
        return {"Successful": [{"Id": "0"}], "Failed": failed}

    sent = published(Clients(answer), b"a", b"b", b"c", b"not answered")
    expected = [Outcome.SENT, Outcome.TRANSIENT, Outcome.PERMANENT, Outcome.TRANSIENT]
    assert outcomes(sent) == expected
    assert sent[2].reason == "InvalidParameter: bad"


def test_a_request_that_is_refused_for_one_of_its_messages_is_sent_again_one_by_one() -> None:
    def answer(entries: list[dict[str, Any]]) -> dict[str, Any]:
        if any(one["Message"] == "bad" for one in entries):
            raise refusal("InvalidParameter")
        return taken(entries)

    sent = published(Clients(answer), b"a", b"bad", b"c")
    assert outcomes(sent) == [Outcome.SENT, Outcome.PERMANENT, Outcome.SENT]


def test_what_says_nothing_of_the_messages_is_tried_again_later() -> None:
    for error in (
        refusal("Throttling"),
        refusal("ExpiredToken"),
        EndpointConnectionError(endpoint_url="x"),
        TimeoutError(),
    ):

        def answer(_: Any, error: Exception = error) -> dict[str, Any]:
            raise error

        clients = Clients(answer)
        assert outcomes(published(clients, b"a", b"b")) == [Outcome.TRANSIENT] * 2
        assert len(clients.requests) == 1


def test_a_topic_that_is_not_there_or_forbidden_is_said_for_good() -> None:
    def answer(_: Any) -> dict[str, Any]:
        raise refusal("NotFound")

    [sent] = published(Clients(answer), b"a")
    assert sent == Sent(Outcome.PERMANENT, "there is no topic orders.fifo")

    def forbidden(_: Any) -> dict[str, Any]:
        raise refusal("AuthorizationError")

    assert outcomes(published(Clients(forbidden), b"a")) == [Outcome.PERMANENT]


def test_a_batch_has_ten_messages_and_no_more_bytes_than_sns_takes() -> None:
    clients = Clients(taken)
    assert outcomes(published(clients, *[b"x"] * 25, most_bytes=100_000)) == [Outcome.SENT] * 25
    assert sorted(len(request) for request in clients.requests) == [5, 10, 10]
    clients = Clients(taken)
    sent = published(clients, b"a" * 600, b"b" * 600, b"c" * 1000, b"d" * 200)
    assert outcomes(sent) == [Outcome.SENT, Outcome.SENT, Outcome.PERMANENT, Outcome.SENT]
    assert "1000 are allowed" in sent[2].reason
    assert sorted(len(request) for request in clients.requests) == [1, 2]


def test_a_message_has_its_events_id_and_one_without_key_a_group_of_its_own() -> None:
    clients = Clients(taken)
    producer = SnsProducer(Names(SERVICE), clients, seconds=5)  # type: ignore[arg-type]
    messages = [
        Outgoing("orders", "k", {"ce_id": "1"}, b"a"),
        Outgoing("orders", None, {"ce_id": "2"}, b"b"),
        Outgoing("orders", None, {"ce_id": "3"}, b"c"),
        Outgoing("elsewhere", "k", {}, b"d"),
    ]
    sent = asyncio.run(producer.publish(messages))
    [[one, two, three]] = clients.requests
    assert [one["MessageDeduplicationId"] for one in (one, two, three)] == ["1", "2", "3"]
    assert one["MessageGroupId"] == "k"
    assert len({one["MessageGroupId"] for one in (one, two, three)}) == 3
    assert sent[3].reason == "elsewhere is no channel of this service"
