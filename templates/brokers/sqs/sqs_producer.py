"""Publishing to SNS: in batches of ten, and the answer to each message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .sqs_clients import AWAY, Answered, Clients, code_of, is_denied, is_not_there, line
from .sqs_messages import pack, size
from .sqs_names import Names, fit_id, is_ordered, topic_name
from .transport import Outcome, Sent

if TYPE_CHECKING:
    from .transport import Outgoing

MOST_BYTES = 262_144  # of a message and of a batch, unless a topic's MaximumMessageSize says more
_BATCH = 10
_AT_ONCE = 16  # batches
_REFUSED = ("InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError")

_SENT = Sent(Outcome.SENT)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One message as SNS takes it, and its place among those that are published."""

    place: int
    topic: str
    fields: Mapping[str, Any]
    bytes: int


class SnsProducer:
    """Publishes to the topics of a service's channels."""

    def __init__(
        self, names: Names, clients: Clients, *, seconds: float, most_bytes: int = MOST_BYTES
    ) -> None:
        """SNS has so many `seconds` for its word on a batch."""
        self._names = names
        self._clients = clients
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Send messages together; the outcome of each, in the same order.

        Batches are under way at once: no two messages here have one key.
        """
        outcomes: dict[int, Sent] = {}
        entries = []
        for place, message in enumerate(messages):
            entry = self._entry(place, message)
            if isinstance(entry, Sent):
                outcomes[place] = entry
            else:
                entries.append(entry)
        batches = [self._send(batch) for batch in self._batches(entries)]
        for answers in await asyncio.gather(*batches):
            outcomes.update(answers)
        return [outcomes[place] for place in range(len(messages))]

    def _entry(self, place: int, message: Outgoing) -> _Entry | Sent:
        channel = self._names.channel_of(message.destination)
        if channel is None:
            return Sent(Outcome.PERMANENT, f"{message.destination} is no channel of this service")
        elsewhere = channel.destination != message.destination
        body, attributes = pack(message, names_destination=elsewhere)
        if (bytes_ := size(body, attributes)) > self._most_bytes:
            allowed = f"{self._most_bytes} are allowed"
            return Sent(Outcome.PERMANENT, f"the message has {bytes_} bytes as sent, {allowed}")
        fields: dict[str, Any] = {"Message": body, "MessageAttributes": attributes}
        if is_ordered(channel):
            # The event's id, so that what is sent twice within five minutes arrives once.
            id_ = fit_id(message.headers.get("ce_id") or uuid4().hex)
            fields["MessageDeduplicationId"] = id_
            # Without a key an event waits for no other: it is a group of its own.
            fields["MessageGroupId"] = fit_id(message.key or uuid4().hex)
        return _Entry(place, topic_name(channel), {"Id": f"{place}", **fields}, bytes_)

    def _batches(self, entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
        """Of one topic each, within the limits of a request."""
        open_: dict[str, list[_Entry]] = {}
        for entry in entries:
            batch = open_.setdefault(entry.topic, [])
            full = sum(one.bytes for one in batch) + entry.bytes > self._most_bytes
            if batch and (full or len(batch) == _BATCH):
                yield open_.pop(entry.topic)
                batch = open_.setdefault(entry.topic, [])
            batch.append(entry)
        yield from (batch for batch in open_.values() if batch)

    async def _send(self, batch: Sequence[_Entry]) -> dict[int, Sent]:
        places = [entry.place for entry in batch]
        try:
            async with self._slots, asyncio.timeout(self._seconds):
                return await self._ask(batch)
        except Answered as error:
            judged = _judge(error, batch[0].topic)
        except AWAY as error:
            return dict.fromkeys(places, Sent(Outcome.TRANSIENT, line(error)))
        if judged.outcome is Outcome.TRANSIENT or len(batch) == 1:
            return dict.fromkeys(places, judged)
        # The request was refused, which may be for one of its messages: each is sent by itself.
        alone = [await self._send([entry]) for entry in batch]
        return {place: sent for answers in alone for place, sent in answers.items()}

    async def _ask(self, batch: Sequence[_Entry]) -> dict[int, Sent]:
        client = await self._clients.sns()
        arn = await self._clients.arn("sns", batch[0].topic)
        answer = await client.publish_batch(
            TopicArn=arn, PublishBatchRequestEntries=[entry.fields for entry in batch]
        )
        answers = {int(one["Id"]): _SENT for one in answer.get("Successful", ())}
        for one in answer.get("Failed", ()):
            outcome = Outcome.PERMANENT if one.get("SenderFault") else Outcome.TRANSIENT
            reason = f"{one.get('Code', '')}: {one.get('Message', '')}".strip(": ")
            answers[int(one["Id"])] = Sent(outcome, reason)
        silent = Sent(Outcome.TRANSIENT, "SNS did not say what became of it")
        return {entry.place: answers.get(entry.place, silent) for entry in batch}


def _judge(error: Any, topic: str) -> Sent:
    """What an answer to a whole request says of its messages."""
    if is_not_there(error):
        return Sent(Outcome.PERMANENT, f"there is no topic {topic}")
    refused = is_denied(error) or code_of(error) in _REFUSED
    return Sent(Outcome.PERMANENT if refused else Outcome.TRANSIENT, line(error))
