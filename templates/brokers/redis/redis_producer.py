"""Publishing to Redis: all messages in one pipeline, each counted as sent by its own answer."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from .redis_names import BODY, DESTINATION, KEY, Names, fields_of, part_of, stream
from .redis_streams import AWAY, Client, have_partitions
from .transport import Outcome, Outgoing, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

SENT = Sent(Outcome.SENT)
_RESERVED = frozenset({BODY, DESTINATION, KEY})
# Answers of a server that may take the same message later.
_LATER = (BusyLoadingError, ClusterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError)
_LATER_CODES = ("NOREPLICAS", "MISCONF", "BUSY")


class RedisProducer:
    """Publishes for one service."""

    def __init__(  # noqa: PLR0913  - all of them settings
        self,
        names: Names,
        client: Client,
        *,
        seconds: float,
        most_bytes: int,
        partitions: int,
        wait_replicas: int,
        wait_fsync: bool,
    ) -> None:
        """The broker has so many `seconds` for its word on messages."""
        self._names = names
        self._client = client
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._default = partitions
        self._replicas = wait_replicas
        self._fsync = wait_fsync
        self._turn = count()
        self._partitions: dict[str, int] = {}

    async def publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        """Send messages together; the outcome of each, in the same order."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._publish(messages)
        except AWAY as error:
            return [_judge(error)] * len(messages)

    async def _publish(self, messages: Sequence[Outgoing]) -> list[Sent]:
        bases = [self._names.base_for(message.destination) for message in messages]
        refused = await self._learn({*bases} - self._partitions.keys())
        sent = [
            refused.get(base) or self._unfit(message)
            for base, message in zip(bases, messages, strict=True)
        ]
        fit = [place for place, answer in enumerate(sent) if answer is None]
        answers = await self._add([(bases[place], messages[place]) for place in fit])
        for place, answer in zip(fit, answers, strict=True):
            sent[place] = answer
        return [answer or SENT for answer in sent]

    async def _learn(self, bases: set[str]) -> dict[str, Sent]:
        """Ask how many streams there are; the answers for those that may not be asked about."""
        refused = {}
        for base in sorted(bases):
            try:
                self._partitions[base] = await have_partitions(self._client, base, self._default)
            except ResponseError as error:
                refused[base] = _judge(error)
        return refused

    async def _add(self, messages: Sequence[tuple[str, Outgoing]]) -> list[Sent]:
        if not messages:
            return []
        pipe = self._client.pipeline(transaction=False)
        for base, message in messages:
            part = part_of(message.key, next(self._turn), self._partitions[base])
            filled = base != self._names.base(message.destination)
            pipe.xadd(stream(base, part), fields_of(message, names_destination=filled))
        copies = self._ask_for_copies(pipe)
        answers = await pipe.execute(raise_on_error=False)
        sent = [_judge(answer) for answer in answers[: len(messages)]]
        lack = _lack(answers[-1], copies) if copies else ""
        return [Sent(Outcome.TRANSIENT, lack) if lack and s is SENT else s for s in sent]

    def _ask_for_copies(self, pipe: Client) -> tuple[int, ...]:
        """Wait for disks and replicas, as far as the settings say; how many of each."""
        milliseconds = int(self._seconds * 800)
        if self._fsync:
            pipe.waitaof(1, self._replicas, milliseconds)
            return 1, self._replicas
        if self._replicas:
            pipe.wait(self._replicas, milliseconds)
            return (self._replicas,)
        return ()

    def _unfit(self, message: Outgoing) -> Sent | None:
        """Why a message cannot be sent at all; None when it can."""
        if len(message.body) > self._most_bytes:
            reason = f"the message has {len(message.body)} bytes, {self._most_bytes} are allowed"
            return Sent(Outcome.PERMANENT, reason)
        if taken := sorted(_RESERVED & message.headers.keys()):
            return Sent(Outcome.PERMANENT, f"a header must not be called {taken[0]}")
        return None


def _judge(answer: object) -> Sent:
    """The outcome that an answer stands for. What is no answer of a server is raised."""
    if not isinstance(answer, Exception):
        return SENT
    reason = str(answer) or type(answer).__name__
    later = isinstance(answer, (*AWAY, *_LATER)) or reason.startswith(_LATER_CODES)
    if not later and not isinstance(answer, RedisError):
        raise answer
    return Sent(Outcome.TRANSIENT if later else Outcome.PERMANENT, reason)


def _lack(answer: object, wanted: tuple[int, ...]) -> str:
    """What an answer to WAIT or WAITAOF lacks; empty when nothing."""
    if isinstance(answer, Exception):
        return str(answer)
    had = tuple(answer) if isinstance(answer, list | tuple) else (answer,)
    if all(isinstance(n, int) and n >= least for n, least in zip(had, wanted, strict=True)):
        return ""
    return f"written to {had} of {wanted} disks or replicas that were asked for"
