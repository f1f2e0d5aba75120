"""Consuming from SQS: long polls, visibility extended while events are held, deletion in batches.

Of a message group that has a message in flight SQS gives nobody a later one: that is the order per
key. So all that is held of a group at a time came with one poll, and is held or lost together:
would a message of it become visible alone, those behind it could be handled first.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from .sqs_clients import Clients
from .sqs_messages import unpack
from .transport import Deliver, Incoming

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = structlog.get_logger("eventgen.sqs")

_BATCH = 10  # the most of every request
_DELETERS = 4
_TOGETHER_SECONDS = 0.02  # what is done waits so long for more to be deleted with it
_DELAYS = (0.2, 5.0)  # seconds between attempts that fail, the first and the longest
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Polling:
    """How a queue is read: by so many polls at once, which wait so many seconds for messages.

    One poll alone waits while there is not more than it brings. A message that is not deleted
    becomes visible to others after `visibility` seconds.
    """

    polls: int
    wait: int
    visibility: int


@dataclass(eq=False, slots=True)
class _Hold:
    """What one poll brought of one message group. `until` is when others may have it."""

    until: float
    receipts: dict[str, None] = field(default_factory=dict)  # in their order; not yet done
    lost: bool = False

    def stale(self) -> bool:
        """Whether it may be somebody else's."""
        return self.lost or time.monotonic() >= self.until


class SqsConsumer:
    """A subscription of one group, until it is closed."""

    def __init__(
        self,
        clients: Clients,
        queue: str,
        deliver: Deliver,
        *,
        destination: str,
        polling: Polling,
    ) -> None:
        """Reads the queue of this name."""
        self._clients = clients
        self._queue = queue
        self._deliver = deliver
        self._destination = destination
        self._polling = polling
        self._holds: set[_Hold] = set()
        self._done: asyncio.Queue[str] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._gathering = asyncio.Lock()
        self._paused = False
        self._busy = asyncio.Event()  # one poll is not enough
        self._polls: list[asyncio.Task[None]] = []
        self._others: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, in the background."""
        self._polls = [
            asyncio.create_task(self._again(partial(self._poll, number)), name=f"sqs-poll-{number}")
            for number in range(self._polling.polls)
        ]
        deleters = [self._again(self._delete, forever=True) for _ in range(_DELETERS)]
        extending = self._again(self._extend, forever=True)
        self._others = [asyncio.create_task(one) for one in (*deleters, extending)]

    def ack(self, messages: Sequence[Incoming]) -> None:
        """These are done."""
        for message in messages:
            hold: _Hold
            hold, receipt = message.token
            if receipt in hold.receipts:
                self._forget(hold, receipt)
                self._done.put_nowait(receipt)

    async def pause(self) -> None:
        """Hand over no more. What is held stays ours."""
        self._paused = True
        self._busy.set()  # those that wait for more to do end

    async def close(self) -> None:
        """Tell SQS what is done, give back the rest.

        A poll under way is waited for: what SQS has given to one that is gone is nobody's until
        its visibility ends.
        """
        await self.pause()
        if self._polls:
            await asyncio.wait(self._polls, timeout=self._polling.wait + _CLOSE_SECONDS)
        with suppress(TimeoutError):  # what is not said here is delivered again, and known
            await asyncio.wait_for(self._done.join(), _CLOSE_SECONDS)
        for task in (*self._polls, *self._others):
            task.cancel()
        await asyncio.gather(*self._polls, *self._others, return_exceptions=True)
        with suppress(Exception):
            await asyncio.wait_for(self._release(tuple(self._holds)), _CLOSE_SECONDS)

    async def lag(self) -> int | None:
        """How many messages the queue has, here or waiting; None while SQS does not answer."""
        try:
            return await self._clients.count(self._queue)
        except Exception:  # noqa: BLE001  - whatever it was, there is no number
            return None

    async def _again(self, step: Callable[[], Awaitable[None]], *, forever: bool = False) -> None:
        """One step after the other, until the pause unless it is for ever."""
        delay, longest = _DELAYS
        while forever or not self._paused:
            try:
                await step()
                delay = _DELAYS[0]
            except Exception as error:  # noqa: BLE001  - whatever it was, it is tried again
                _log.warning("sqs.no_answer", queue=self._queue, error=str(error) or repr(error))
                await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311  - not a secret
                delay = min(delay * 2, longest)

    async def _poll(self, number: int) -> None:
        if number and not self._busy.is_set():
            await self._busy.wait()
            return
        client = await self._clients.sqs()
        url = await self._clients.queue_url(self._queue)
        # Counted from before the request: when SQS answered is not known.
        until = time.monotonic() + self._polling.visibility
        answer = await client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=self._polling.wait,
            VisibilityTimeout=self._polling.visibility,
            MessageSystemAttributeNames=["MessageGroupId"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", ())
        if len(messages) == _BATCH:
            self._busy.set()
        elif not messages and not self._paused:
            self._busy.clear()
        if messages:
            await self._hand_over(messages, until)

    async def _hand_over(self, messages: Sequence[Mapping[str, Any]], until: float) -> None:
        holds: dict[str, _Hold] = {}
        incoming = []
        for message in messages:
            # Where there is no order, each message is held by itself.
            group = message.get("Attributes", {}).get("MessageGroupId") or uuid4().hex
            hold = holds.setdefault(group, _Hold(until))
            receipt = message["ReceiptHandle"]
            hold.receipts[receipt] = None
            one = unpack(message, self._destination, self._queue)
            incoming.append(replace(one, token=(hold, receipt), stale=hold.stale))
        self._holds.update(holds.values())
        async with self._turn:
            if self._paused:
                await self._release(tuple(holds.values()))
            else:
                await self._deliver(incoming)

    def _forget(self, hold: _Hold, receipt: str) -> None:
        hold.receipts.pop(receipt, None)
        if not hold.receipts:
            self._holds.discard(hold)

    # what is held ---------------------------------------------------------------------------------

    async def _extend(self) -> None:
        await asyncio.sleep(self._polling.visibility / 4)
        extended = [self._extend_batch(batch) for batch in _batches(self._holds)]
        answers = await asyncio.gather(*extended, return_exceptions=True)
        for error in filter(None, answers):
            raise error  # there is time for another attempt

    async def _extend_batch(self, batch: Sequence[_Hold]) -> None:
        until = time.monotonic() + self._polling.visibility
        failed = await self._set_visibility(batch, self._polling.visibility)
        for hold in batch:
            # What was done meanwhile is not missed.
            if hold.stale() or failed.intersection(hold.receipts):
                self._lose(hold)
                _log.warning("sqs.lost", queue=self._queue, messages=len(hold.receipts))
            else:
                hold.until = until

    def _lose(self, hold: _Hold) -> None:
        hold.lost = True
        self._holds.discard(hold)

    async def _release(self, holds: Iterable[_Hold]) -> None:
        """Others may have these at once."""
        for hold in holds:
            self._lose(hold)
        for batch in _batches(holds):
            await self._set_visibility(batch, 0)

    async def _set_visibility(self, batch: Sequence[_Hold], seconds: int) -> set[str]:
        """Say when these become visible; the receipts that SQS does not know any more."""
        receipts = [receipt for hold in batch for receipt in hold.receipts]
        if not receipts:
            return set()
        client = await self._clients.sqs()
        answer = await client.change_message_visibility_batch(
            QueueUrl=await self._clients.queue_url(self._queue),
            Entries=[
                {"Id": f"{number}", "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for number, receipt in enumerate(receipts)
            ],
        )
        return {receipts[int(one["Id"])] for one in answer.get("Failed", ())}

    # what is done ---------------------------------------------------------------------------------

    async def _delete(self) -> None:
        receipts = await self._gather()
        left = set(receipts)
        try:
            client = await self._clients.sqs()
            answer = await client.delete_message_batch(
                QueueUrl=await self._clients.queue_url(self._queue),
                Entries=[
                    {"Id": f"{number}", "ReceiptHandle": receipt}
                    for number, receipt in enumerate(receipts)
                ],
            )
            # Those whose receipt is not valid any more come again, and the inbox knows them.
            failed = (one for one in answer.get("Failed", ()) if not one.get("SenderFault"))
            left = {receipts[int(one["Id"])] for one in failed}
        finally:
            for receipt in receipts:
                if receipt in left:
                    self._done.put_nowait(receipt)
                self._done.task_done()

    async def _gather(self) -> list[str]:
        """What the next request deletes: each costs as much with one receipt as with ten."""
        async with self._gathering:
            receipts = [await self._done.get()]
            with suppress(TimeoutError):
                async with asyncio.timeout(_TOGETHER_SECONDS):
                    while len(receipts) < _BATCH:
                        receipts.append(await self._done.get())
            return receipts


def _batches(holds: Iterable[_Hold]) -> Iterator[list[_Hold]]:
    """For one request each; a hold is never in two."""
    batch: list[_Hold] = []
    for hold in tuple(holds):
        if sum(len(one.receipts) for one in (*batch, hold)) > _BATCH:
            yield batch
            batch = []
        if hold.receipts:
            batch.append(hold)
    if batch:
        yield batch
