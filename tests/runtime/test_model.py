"""Lanes, tracker and parked events against a model of ten lines, whatever happens in which order.

Hypothesis makes up the history: deliveries, turns of the lanes in any order, acknowledgements in
any order, handlers that fail for a while or for good, retries, replays, discards, restarts, lost
partitions. After each step the database says the same as the model. The last tests plant bugs and
demand that the machine finds each of them.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from runtime import consumer, decisions, lanes
from runtime.databases import open_database
from runtime.errors import DeadLetter
from runtime.parked import ParkedWorker
from runtime.selection import Selection
from runtime.service import RetryPolicy
from runtime.sqlite import SqliteDatabase
from runtime.tracker import Tracker
from sqlalchemy import text

from tests.runtime.delivering import CONSUMER, Bench, budget, message, write
from tests.support.runtime import create_tables

ATTEMPTS = 3  # one in the lane, one more there at once, one when it is due
IN_LANE = 2
LATER = 3600.0  # seconds; no retry is due before the machine says so
PATIENCE = 20.0  # seconds for one step

Key = str | None
KEYS = st.sampled_from(["a", "b", "c", None])
MOODS = st.sampled_from(["works", "works", "fails", "gives up"])


@dataclass(eq=False)
class Event:
    """One event in the broker's log. `mood` is what its handler does: works, fails, gives up."""

    offset: int
    key: Key
    mood: str
    attempts: int = 0

    @property
    def subject(self) -> str:
        """What it may have to wait behind: others of its key, or nothing."""
        return self.key or f"event {self.offset}"

    @property
    def dead(self) -> bool:
        """Whether it is a dead letter, if it is parked."""
        return self.attempts >= ATTEMPTS


class Model:
    """What is done and what is parked of each key, in order. All there is to the promise."""

    def __init__(self) -> None:
        self.done: dict[str, list[Event]] = defaultdict(list)
        self.parked: dict[str, list[Event]] = defaultdict(list)
        self.discarded: set[Event] = set()

    def settled(self, event: Event) -> bool:
        known = self.done[event.subject] + self.parked[event.subject]
        return event in known or event in self.discarded

    def handle(self, event: Event) -> None:
        if not self.settled(event):
            blocked = bool(self.parked[event.subject])
            self.parked[event.subject].append(event)
            if not blocked:
                self._try(event, IN_LANE)

    def retry(self) -> None:
        for parked in self.parked.values():
            while parked and not parked[0].dead and self._try(parked[0], 1):
                pass

    def _try(self, event: Event, attempts: int) -> bool:
        if event.mood == "works":
            self.done[event.subject].append(self.parked[event.subject].pop(0))
        else:
            event.attempts += ATTEMPTS if event.mood == "gives up" else attempts
        return event.mood == "works"


class Broker:
    """One partition: a log, what the group has committed, and the tracker of who reads it now."""

    def __init__(self, tracker: type[Tracker]) -> None:
        self.log: list[Event] = []
        self.committed = 0
        self._tracker_class = tracker
        self.take_over()

    def take_over(self) -> None:
        """Somebody reads from what is committed; what was on its way is nobody's business."""
        self.term = object()
        self.tracker = self._tracker_class()
        self.open: set[int] = set()  # delivered in this term and not acknowledged
        self.next = self.committed
        self.acks: list[int] = []

    async def consume(self, *_: Any) -> Broker:
        return self

    def ack(self, messages: Any) -> None:
        self.acks += [offset for term, offset in (m.token for m in messages) if term is self.term]

    def acknowledge(self, offsets: list[int]) -> None:
        for offset in offsets:
            self.acks.remove(offset)
            self.open.discard(offset)
            self.tracker.done(offset)
        self.committed = self.tracker.committable() or self.committed

    async def pause(self) -> None:
        pass

    async def close(self) -> None:
        pass


class Machine(RuleBasedStateMachine):
    """A subscription on SQLite, driven one step at a time."""

    tracker: type[Tracker] = Tracker
    database: Any
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.broker = Broker(self.tracker)
        self.turns: list[tuple[Any, asyncio.Event, asyncio.Event]] = []
        self.run(self._begin())

    def run(self, step: Any) -> Any:
        return self.runner.run(asyncio.wait_for(step, PATIENCE))

    async def _begin(self) -> None:
        async with self.database.transaction() as tx:
            for table in ("effect", "inbox", "parked", "outbox"):
                await tx.execute(text(f"DELETE FROM {table}"))
        retry = RetryPolicy(attempts=ATTEMPTS, initial=LATER, maximum=LATER)
        self.bench = Bench(self.database, self.handler, retry=retry, concurrency=2, batch=3)
        self.worker = ParkedWorker(self.bench.database, [self.bench.handling])
        await self._start()

    async def _start(self) -> None:
        self.turns.clear()
        self.consumption = consumer.Consumption(self.bench.handling, self.broker, "group")
        self.consumption._lanes._handle = self.gate
        await self.consumption.start()
        await _breathe()

    async def gate(self, works: Any) -> Any:
        """A lane's turn, which waits until the machine says that it is the next."""
        go, over = asyncio.Event(), asyncio.Event()
        self.turns.append((works, go, over))
        await go.wait()
        try:
            return await self.consumption._handle(works)
        finally:
            over.set()

    async def handler(self, event: Any, ctx: Any) -> None:
        await write(event, ctx)
        mood = self.event(event.n).mood
        if mood == "fails":
            raise ValueError("for now")
        if mood == "gives up":
            raise DeadLetter("for good")

    def event(self, offset: int) -> Event:
        return next(event for event in self.broker.log if event.offset == offset)

    # what may happen --------------------------------------------------------------------------

    @initialize(events=st.lists(st.tuples(KEYS, MOODS), min_size=3, max_size=8))
    def begin(self, events: list[tuple[Key, str]]) -> None:
        for key, mood in events:
            self.send(key, mood, 1)
        self.deliver(len(events))

    @rule(key=KEYS, mood=MOODS, gap=st.integers(1, 3))
    def send(self, key: Key, mood: str, gap: int) -> None:
        last = self.broker.log[-1].offset if self.broker.log else -1
        self.broker.log.append(Event(last + gap, key, mood))

    @rule(many=st.integers(1, 6))
    def deliver(self, many: int) -> None:
        fresh = [event for event in self.broker.log if event.offset >= self.broker.next][:many]
        for event in fresh:
            self.broker.tracker.add(event.offset)
            self.broker.open.add(event.offset)
            self.broker.next = event.offset + 1
        self.run(self._deliver(fresh))

    async def _deliver(self, events: list[Event]) -> None:
        await self.consumption._deliver([self._message(event) for event in events])
        await _breathe()

    def _message(self, event: Event) -> Any:
        term = self.broker.term
        made = message(
            event.key,
            body=f'{{"order_id":"{event.subject}","n":{event.offset}}}'.encode(),
            origin=f"orders/0/{event.offset}",
            stale=lambda: term is not self.broker.term,
        )
        headers = {
            k: v for k, v in made.headers.items() if k != "ce_id"
        }  # then its place is its id
        return replace(made, token=(term, event.offset), headers=headers)

    @precondition(lambda self: self.turns)
    @rule(which=st.integers(0, 9))
    def turn(self, which: int) -> None:
        works, go, over = self.turns.pop(which % len(self.turns))
        stale = [work.message.stale() for work in works]
        go.set()
        self.run(self._over(over))
        for work, gone in zip(works, stale, strict=True):
            if not gone:
                self.model.handle(self.event(work.message.token[1]))

    async def _over(self, over: asyncio.Event) -> None:
        await over.wait()
        await _breathe()

    @precondition(lambda self: self.broker.acks)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        offsets = data.draw(st.permutations(self.broker.acks))
        self.broker.acknowledge(offsets[: data.draw(st.integers(1, len(offsets)))])

    @rule()
    def retries_are_due(self) -> None:
        self.run(self._retry())
        self.model.retry()

    async def _retry(self) -> None:
        async with self.database.transaction() as tx:
            await tx.execute(text("UPDATE parked SET next_at = '2000-01-01 00:00:00.000'"))
        while await self.worker._round():
            pass

    @precondition(lambda self: self.broker.log)
    @rule(which=st.integers(0, 99), mood=st.sampled_from(["works", "fails"]))
    def the_handler_changes(self, which: int, mood: str) -> None:
        self.broker.log[which % len(self.broker.log)].mood = mood

    def dead(self) -> list[Event]:
        return [
            event for parked in self.model.parked.values() for event in parked[:1] if event.dead
        ]

    @precondition(dead)
    @rule(which=st.integers(0, 9))
    def replay(self, which: int) -> None:
        event = self.dead()[which % len(self.dead())]
        self.run(self._decide(decisions.REPLAY, event))
        event.attempts = 0

    @precondition(dead)
    @rule(which=st.integers(0, 9))
    def discard(self, which: int) -> None:
        event = self.dead()[which % len(self.dead())]
        self.run(self._decide(decisions.DISCARD, event))
        self.model.parked[event.subject].remove(event)
        self.model.discarded.add(event)

    async def _decide(self, decision: Any, event: Event) -> None:
        rows = await self.database.list_parked(CONSUMER, "dead", 1000)
        numbers = [row.seq for row in rows if row.origin == f"orders/0/{event.offset}"]
        assert len(numbers) == 1
        await decisions.carry_out(self.database, decision, Selection(numbers=tuple(numbers)))

    @rule()
    def restart(self) -> None:
        """The process is killed: what it held and had not made known is gone."""
        self.run(self.consumption.close())
        self.broker.take_over()
        self.run(self._start())

    @rule()
    def lose_the_partition(self) -> None:
        """And get it back; what the lanes still hold of it is stale."""
        self.broker.take_over()

    # what must hold ---------------------------------------------------------------------------

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        effects, parked = self.run(self._stored())
        assert effects == {
            subject: [event.offset for event in done]
            for subject, done in self.model.done.items()
            if done
        }
        assert parked == {
            subject: [(event.offset, event.dead) for event in events]
            for subject, events in self.model.parked.items()
            if events
        }

    async def _stored(self) -> tuple[dict[str, list[int]], dict[str, list[tuple[int, bool]]]]:
        effects, parked = defaultdict(list), defaultdict(list)
        for subject, offset in await self.bench.effects():
            effects[subject].append(offset)
        for row in await self.bench.parked():
            offset = int(row.origin.rpartition("/")[2])
            parked[self.event(offset).subject].append((offset, row.status == "dead"))
        return dict(effects), dict(parked)

    @invariant()
    def only_what_is_settled_without_a_gap_is_committed(self) -> None:
        unsettled = [e.offset for e in self.broker.log if not self.model.settled(e)]
        assert self.broker.committed <= min(unsettled, default=self.broker.committed)
        if self.broker.open:
            assert self.broker.tracker.committable() == min(self.broker.open)

    def teardown(self) -> None:
        """At the end of every history all handlers work: nothing is lost, and nothing twice."""
        try:
            self._finish()
        finally:
            self.run(self.consumption.close())

    def _finish(self) -> None:
        for event in self.broker.log:
            event.mood = "works"
        for _ in range(2):  # what was committed but not settled would be missing the second time
            self.deliver(len(self.broker.log))
            while self.turns:
                self.turn(0)
            while dead := self.dead():
                self.replay(0)
                assert dead != self.dead()
            self.retries_are_due()
            self.broker.acknowledge(list(self.broker.acks))
        self.the_database_says_what_the_model_says()
        done = {event for events in self.model.done.values() for event in events}
        assert done | self.model.discarded == set(self.broker.log)
        assert self.broker.committed == self.broker.next


async def _breathe() -> None:
    """Let the lanes come to their next turn; there is nothing they could wait for."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine with a database of its own, and no time in it: nothing is due by itself."""
    monkeypatch.setattr("runtime.retry.IN_LANE", (0.0,) * (IN_LANE - 1))
    budget(monkeypatch, 60.0)
    monkeypatch.setattr("runtime.sqlite._PRAGMAS", ("PRAGMA synchronous = OFF",))
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        database = open_database(f"sqlite:///{Path(folder) / 'model.db'}")
        runner.run(_create(database))
        yield type("OnSqlite", (Machine,), {"database": database, "runner": runner})
        runner.run(database.close())


async def _create(database: Any) -> None:
    await create_tables(database)
    async with database.transaction() as tx:
        await tx.execute(text("CREATE TABLE effect (seq integer primary key, k text, n int)"))


def explore(machine: Any, **changes: Any) -> None:
    """Try histories."""
    options = {
        "max_examples": 40,
        "stateful_step_count": 30,
        "deadline": None,
        "phases": [Phase.generate],  # a history of one step more or less is as good
        "suppress_health_check": list(HealthCheck),
        "database": None,
        "report_multiple_bugs": False,
    }
    run_state_machine_as_test(machine, settings=settings(**(options | changes)))


def test_every_history_ends_as_the_model_says(machine: Any) -> None:
    explore(machine)


class _CommitsWhatIsDone(Tracker):
    """Commits past a gap."""

    def committable(self) -> int | None:
        behind = [offset for offset in self._open if offset in self._done]
        return max(behind) + 1 if behind else super().committable()


async def _forgets_who_waits(
    self: Any, tx: Any, consumer: str, ids: Any, keys: Any, **_: Any
) -> Any:
    return await _SEEN(self, tx, consumer, ids, [])


async def _claims_nothing(self: Any, tx: Any, consumer: str, ids: Any, **_: Any) -> Any:
    return frozenset(ids)


async def _ignores_staleness(self: Any, works: Any) -> Any:
    return await self._handling.batch(works) and ()


async def _loses_the_rest(self: Any, lane: Any) -> None:
    """A turn that was cut off."""
    taken = [lane.waiting.popleft() for _ in range(min(self._batch, len(lane.waiting)))]
    await self._handle(taken[:1])


async def _discards_without_a_trace(_: Any, tx: Any, numbers: Any) -> None:
    await tx.execute(text(f"DELETE FROM parked WHERE seq = {numbers[0]}"))


_SEEN = SqliteDatabase.seen

BUGS = {
    "a tracker that commits past a gap": (Machine, "tracker", _CommitsWhatIsDone),
    "an event that does not wait behind its key": (SqliteDatabase, "seen", _forgets_who_waits),
    "an inbox that remembers nothing": (SqliteDatabase, "claim", _claims_nothing),
    "a lane that drops what its turn leaves": (lanes.Lanes, "_turn", _loses_the_rest),
    "a discarded event that the inbox does not know": (
        decisions,
        "DISCARD",
        decisions.Decision(decisions.DEAD, _discards_without_a_trace),
    ),
    "stale messages that are handled": (consumer.Consumption, "_settle", _ignores_staleness),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_machine_finds(machine: Any, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    monkeypatch.setattr(*BUGS[bug])
    with pytest.raises((AssertionError, ExceptionGroup)):
        explore(machine, max_examples=500, derandomize=True)
