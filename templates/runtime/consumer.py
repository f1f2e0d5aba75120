"""A subscription at work: transport, lanes, handlers, acknowledgements."""

from __future__ import annotations

import asyncio
from collections import Counter
from logging import DEBUG
from typing import TYPE_CHECKING

import structlog

from .envelope import Envelope
from .handling import Handling, Result, Work
from .lanes import Lanes
from .metrics import RECEIVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .transport import Consumer, Incoming, Source

_log = structlog.get_logger("eventgen.consumer")


class Consumption:
    """Takes the events of one subscription from the broker and sees each one settled.

    A message is acknowledged after the transaction that settled its event is committed, never
    before: whatever happens in between, the broker delivers it again and the inbox knows it.
    """

    def __init__(self, handling: Handling, source: Source, group: str) -> None:
        """`group` names the service to the broker."""
        self.subscription = subscription = handling.subscription
        self._handling = handling
        self._flow = handling.flow
        self._source = source
        self._group = group
        self._lanes: Lanes[Work] = Lanes(
            subscription.concurrency, subscription.batch, self._handle, _weight
        )
        self.results: Counter[str] = Counter()  # events, by what became of them
        self._consumer: Consumer | None = None
        self._started = asyncio.Event()
        self._paused = False

    async def start(self) -> None:
        """Subscribe and start handling."""
        self._consumer = await self._source.consume(self.subscription, self._group, self._deliver)
        self._lanes.start()
        self._started.set()

    async def pause(self) -> None:
        """Take nothing more from the broker."""
        if not self._paused and self._consumer is not None:
            self._paused = True
            await self._consumer.pause()

    async def drain(self, seconds: float) -> bool:
        """Pause, then finish what was taken; whether that was done within so many seconds.

        The rest is cancelled, rolled back and left to the next delivery.
        """
        await self.pause()
        self._flow.stop()
        finished = await self._lanes.drain(seconds)
        if not finished:
            _log.warning(
                "consumer.drain_cut", consumer=self.subscription.name, left=self._lanes.held
            )
        return finished

    async def close(self) -> None:
        """Stop at once, tell the broker what is done, leave the group."""
        self._flow.stop()
        await self._lanes.close()
        if self._consumer is not None:
            await self._consumer.close()

    async def lag(self) -> int | None:
        """How many messages wait on the broker; None when that cannot be said."""
        return None if self._consumer is None else await self._consumer.lag()

    async def _deliver(self, messages: Sequence[Incoming]) -> None:
        """Sort messages into lanes; waits while those are full."""
        await self._started.wait()
        tell = _log.is_enabled_for(DEBUG)
        for message in messages:
            if self._paused:
                return  # not acknowledged: they come again
            work = self._handling.read(message)
            if tell:
                _log.debug("consumer.received", **work.fields)
            if isinstance(work.subject, Envelope) and self.subscription.route(work.type) is None:
                _log.debug("consumer.ignored", **work.fields)
                self._done([message], "ignored")
                continue
            await self._flow.admit()
            if self._paused:
                return
            if not await self._lanes.put(work.key, work):
                return

    async def _handle(self, works: Sequence[Work]) -> Sequence[Work]:
        """Settle the first events of a lane, when it is their turn; returns what is left over."""
        try:
            await self._flow.turn()
            return await self._settle(works)
        finally:
            self._flow.leave()

    async def _settle(self, works: Sequence[Work]) -> Sequence[Work]:
        live = [work for work in works if not work.message.stale()]
        if len(live) > 1 and not self._flow.held:
            settled = await self._handling.batch(live)
            if settled is not None:
                self._acknowledge(settled)
                return live[len(settled) :]
        for place, work in enumerate(live):
            if work.message.stale():
                continue
            if (result := await self._handling.single(work)) is None:
                return live[place:]
            self._acknowledge([(work, result)])
            if self._flow.held:
                return live[place + 1 :]
        return ()

    def _acknowledge(self, settled: Sequence[tuple[Work, Result]]) -> None:
        """Their transaction is committed."""
        for result in Result:
            messages = [work.message for work, what in settled if what is result]
            if messages:
                self._done(messages, result.value)
        if _log.is_enabled_for(DEBUG):
            for work, result in settled:
                _log.debug(f"consumer.{result.value}", **work.fields)

    def _done(self, messages: Sequence[Incoming], result: str) -> None:
        if self._consumer is not None:
            self._consumer.ack(messages)
        self.results[result] += len(messages)
        RECEIVED.labels(self.subscription.name, result).inc(len(messages))


def _weight(work: Work) -> int:
    return len(work.message.body)
