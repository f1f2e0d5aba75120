"""The statements, the same on both databases; who waits for whom when there are several at once."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from uuid import UUID, uuid4

import pytest
from runtime.database import LANES, Parking
from runtime.databases import TABLES, open_database
from runtime.decisions import DISCARD, REPLAY, RETRY_POISON, carry_out
from runtime.dialect import lane_of
from runtime.errors import ConfigurationError
from runtime.selection import Selection
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from tests.runtime.conftest import opened
from tests.support.runtime import migrations
from tests.support.samples import row

pytestmark = pytest.mark.anyio
C = "shop.orders"
ALL = range(LANES)


async def add(database, *rows):
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, rows)


async def add_and_fail(database):
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, [row()])
        raise ZeroDivisionError


def parking(key="k", status="retry", **fields):
    values = {
        "event_id": uuid4(),
        "type": "order.placed",
        "headers": {"ce_id": "1"},
        "body": b"\x00\xff",
        "origin": "orders/0/1",
        "reason": "handler-error",
    }
    return Parking(**values | {"key": key, "status": status} | fields)


async def park(database, *events):
    async with database.transaction() as tx:
        await database.park(tx, C, events)


async def decide(database, decision, *numbers):
    return await carry_out(database, decision, Selection(numbers=numbers))


async def take(database, key=None):
    async with database.transaction() as tx:
        if key is None:
            return await database.take_due(tx, C)
        return await database.take_next(tx, C, key)


async def ids_in(database):
    return [row.event_id for row in await database.list_parked(None, None, 100)]


# opening, and the tables


async def test_the_migration_makes_the_tables_it_says_and_takes_them_away(database):
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    def names(connection):
        return set(inspect(connection).get_table_names())

    def downgrade(connection):
        with Operations.context(MigrationContext.configure(connection)):
            for migration in reversed(migrations()):
                migration.downgrade()

    async with database.engine.begin() as connection:
        assert await connection.run_sync(names) == TABLES
        lanes = await connection.execute(text("SELECT lane FROM outbox_lane ORDER BY lane"))
        assert list(lanes.scalars()) == list(ALL)
        await connection.run_sync(downgrade)
        assert await connection.run_sync(names) == set()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root:secret@h/d", "begins with mysql://"),
        ("orders.db", "begins with no scheme"),
        ("", "begins with no scheme"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite://", "must be a file"),
        ("sqlite:////no/such/folder/orders.db", "does not exist"),
    ],
)
async def test_a_url_that_cannot_be_right_says_so_without_its_password(url, said):
    with pytest.raises(ConfigurationError) as caught:
        open_database(url)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_the_url_may_name_the_driver_or_not():
    for scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        database = open_database(f"{scheme}://u:p@h/d")
        assert database.engine.url.drivername == "postgresql+asyncpg"
        await database.close()


async def test_a_database_whose_file_is_not_in_the_service(monkeypatch):
    monkeypatch.setattr("runtime.databases.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="generated without postgresql"):
        open_database("postgresql://h/d")


async def test_a_transaction_is_kept_or_not_as_a_whole(database):
    with pytest.raises(ZeroDivisionError):
        await add_and_fail(database)
    assert await database.list_outbox(10) == []
    assert await database.healthy()


# outages


async def test_an_outage_is_told_from_a_mistake(database):
    def caught(error):
        return database.is_outage(error)

    assert not caught(ConnectionError("of some HTTP client"))
    assert not caught(TimeoutError())
    with pytest.raises(Exception) as mistake:
        async with database.transaction() as tx:
            await tx.execute(text("SELECT nonsense"))
    assert not caught(mistake.value)
    with pytest.raises(Exception) as twice:
        async with database.transaction() as tx:
            await tx.execute(text("INSERT INTO inbox (consumer, event_id) VALUES ('c', NULL)"))
    assert not caught(twice.value)


@pytest.mark.servers
async def test_postgres_gone_or_giving_way_is_an_outage(postgres_database):
    database = postgres_database
    with pytest.raises(Exception) as killed:
        async with database.transaction() as tx:
            await tx.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert database.is_outage(killed.value)
    wrapped = RuntimeError("saving the order failed")
    wrapped.__cause__ = killed.value
    assert database.is_outage(wrapped)
    assert database.is_outage(ExceptionGroup("both", [ValueError(), wrapped]))
    after = RuntimeError("a bug in what was done next")
    after.__context__ = killed.value
    assert not database.is_outage(after)
    async with opened("postgresql://postgres@127.0.0.1:1/x", tables=False) as away:
        with pytest.raises(Exception, match="no connection to PostgreSQL") as refused:
            async with away.transaction():
                pass
        assert away.is_outage(refused.value)
        assert not await away.healthy()


@pytest.mark.servers
async def test_a_deadlock_is_an_outage(postgres_database):
    database = postgres_database
    both = asyncio.Barrier(2)

    async def lock(first, second):
        async with database.transaction() as tx:
            await tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({first})")
            await both.wait()
            await tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({second})")

    results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    errors = [error for error in results if error is not None]
    assert len(errors) == 1
    assert database.is_outage(errors[0])


async def test_sqlite_busy_is_an_outage(sqlite_database, monkeypatch):
    monkeypatch.setattr("runtime.sqlite._PRAGMAS", ("PRAGMA busy_timeout = 50",))
    url = str(sqlite_database.engine.url)
    async with opened(url, tables=False) as other, sqlite_database.transaction():
        with pytest.raises(Exception, match="locked") as busy:
            async with other.transaction():
                pass
        assert other.is_outage(busy.value)
        assert await other.list_outbox(1) == []  # reading waits for nobody
        assert await other.healthy()


async def test_sqlite_tasks_take_turns_and_a_task_inside_its_own_is_told(sqlite_database):
    running = Counter()

    async def write():
        async with sqlite_database.transaction() as tx:
            running["now"] += 1
            assert running["now"] == 1
            await sqlite_database.add_to_outbox(tx, [row()])
            await asyncio.sleep(0.001)
            running["now"] -= 1

    await asyncio.gather(*[write() for _ in range(20)])
    assert len(await sqlite_database.list_outbox(100)) == 20
    async with sqlite_database.transaction():
        with pytest.raises(RuntimeError, match="one writer"):
            await write()
    await write()


async def test_sqlite_is_free_when_a_task_is_cancelled_in_the_middle_of_a_statement(
    sqlite_database, monkeypatch
):
    monkeypatch.setattr("runtime.sqlite._PRAGMAS", ("PRAGMA busy_timeout = 50",))
    many = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200000)
    INSERT INTO inbox (consumer, event_id) SELECT 'c', n FROM numbers RETURNING event_id
    """
    begun = asyncio.Event()

    async def work():
        async with sqlite_database.transaction() as tx:
            begun.set()
            await tx.execute(text(many))
            raise AssertionError("too fast for this test")

    gc.disable()  # what is cut off may be remembered for long: in a traceback, in a cycle
    try:
        task = asyncio.create_task(work())
        await begun.wait()
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await add(sqlite_database, row())
    finally:
        gc.enable()
    async with sqlite_database.reading() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM inbox"))).scalar_one() == 0


async def test_sqlite_gives_no_id_out_twice(sqlite_database):
    await add(sqlite_database, row(), row())
    ids = [r.id for r in await sqlite_database.list_outbox(9)]
    await sqlite_database.mark_sent(ids)
    await add(sqlite_database, row())
    assert (await sqlite_database.list_outbox(9))[0].id > ids[-1]


# outbox


async def test_rows_come_back_as_they_were_in_the_order_of_the_list(database):
    rows = [row(f"k{n % 7}" if n % 3 else None) for n in range(300)]
    await add(database, *rows)
    found = await database.pending(ALL, 1000)
    assert [r.event_id for r in found] == [r.event_id for r in rows]
    assert [r.id for r in found] == sorted(r.id for r in found)
    for field in ("type", "destination", "key", "headers", "body"):
        assert [getattr(r, field) for r in found] == [getattr(r, field) for r in rows]
    assert {(r.status, r.attempts, r.last_error) for r in found} == {("pending", 0, None)}
    assert all(r.created_at.tzinfo for r in found)


async def test_awkward_text_is_stored_not_refused(database):
    awkward = row("k\x00\udce4" + "ü" * 5000)
    headers = {"a\x00": "b\x00", "c": "\udcff"}
    await add(database, type(awkward)(**_fields(awkward) | {"headers": headers}))
    found = (await database.pending([lane_of(awkward.key, awkward.event_id)], 10))[0]
    assert found.headers == {"a\ufffd": "b\ufffd", "c": "?"}
    assert await database.mark_failed(found.id, "no\x00", poison_after=1)


def _fields(value):
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


@pytest.mark.servers
@pytest.mark.parametrize("locked", [True, False])
async def test_the_order_of_ids_is_the_order_of_commits(postgres_database, locked, monkeypatch):
    """A second transaction of the key waits until the first has ended; without the lock, not."""
    database = postgres_database
    if not locked:
        monkeypatch.setattr("runtime.postgres_sql.LOCK_KEYS", "SELECT $1::bigint[]")
    stored, commits = asyncio.Event(), []

    async def slow():
        async with database.transaction() as tx:
            await database.add_to_outbox(tx, [row("k", b"slow"), row("other", b"")])
            stored.set()
            await asyncio.sleep(0.3)
        commits.append(b"slow")

    async def quick():
        await stored.wait()
        async with database.transaction() as tx:
            await database.add_to_outbox(tx, [row("k", b"quick")])
        commits.append(b"quick")

    await asyncio.gather(slow(), quick())
    ids = [r.body for r in await database.pending(ALL, 10) if r.key == "k"]
    assert ids == [b"slow", b"quick"]
    assert (commits == ids) is locked


async def test_many_keys_in_any_order_do_not_deadlock(database):
    keys = [f"k{n}" for n in range(20)]

    async def one(shift):
        await add(database, *[row(keys[(n * 7 + shift) % 20]) for n in range(20)])

    await asyncio.gather(*[one(n) for n in range(20)])
    assert len(await database.list_outbox(1000)) == 400


async def test_pending_rows_are_few_when_they_are_large(database, monkeypatch):
    monkeypatch.setattr(f"runtime.{_module(database)}.PENDING_BYTES", 1000)
    sizes = [300, 300, 300, 300, 5000, 1, 999, 1, 1]
    await add(database, *[row(f"k{n}", bytes(size)) for n, size in enumerate(sizes)])
    taken = []
    while found := await database.pending(ALL, 500):
        taken.append([len(r.body) for r in found])
        await database.mark_sent([r.id for r in found])
    # The last one begins below the limit; a row larger than it is taken alone.
    assert taken == [[300, 300, 300, 300], [5000], [1, 999], [1, 1]]


def _module(database):
    return "sqlite" if database.engine.dialect.name == "sqlite" else "postgres"


async def test_pending_leaves_out_what_is_skipped_blocked_or_anothers(database):
    rows = [row("a"), row("b"), row(None), row("a"), row("c"), row(None)]
    await add(database, *rows)
    found = await database.pending(ALL, 10)
    assert len(await database.pending(ALL, 2)) == 2
    assert await database.pending([], 10) == []
    lane = lane_of("b", uuid4())
    assert "b" in {r.key for r in await database.pending([lane], 10)}
    assert "b" not in {r.key for r in await database.pending(set(ALL) - {lane}, 10)}
    some = await database.pending(ALL, 10, ["a", "c"], [found[2].id])
    assert [r.id for r in some] == [found[1].id, found[5].id]
    # A poison row blocks its key; one without a key blocks nothing.
    assert not await database.mark_failed(found[0].id, "too large", poison_after=2)
    assert await database.mark_failed(found[0].id, "too large", poison_after=2)
    assert await database.mark_failed(found[2].id, "no topic", poison_after=1)
    assert [r.id for r in await database.pending(ALL, 10)] == [found[n].id for n in (1, 4, 5)]
    stuck = await database.list_outbox(1)
    assert (stuck[0].status, stuck[0].attempts, stuck[0].last_error) == ("poison", 2, "too large")
    assert not await database.mark_failed(10**9, "gone", poison_after=1)
    assert await decide(database, RETRY_POISON, found[1].id) == 0
    assert await decide(database, RETRY_POISON, found[0].id) == 1
    assert await decide(database, RETRY_POISON) == 1
    assert [r.id for r in await database.pending(ALL, 10)] == [r.id for r in found]
    await database.mark_sent([r.id for r in found])
    assert await database.list_outbox(1) == []


# lanes


async def test_relays_share_lanes_and_take_over(database):
    a, b, c = uuid4(), uuid4(), uuid4()
    assert set(await database.lease_lanes(a, 30, LANES)) == set(ALL)
    first = await database.lease_lanes(b, 30, LANES)
    assert list(first) == []  # there is a second now; the first gives back when it next renews
    kept = set(await database.lease_lanes(a, 30, LANES))
    taken = set(await database.lease_lanes(b, 30, LANES))
    assert (len(kept), len(taken)) == (32, 32)
    assert kept | taken == set(ALL)
    await database.release_lanes(a)
    assert set(await database.lease_lanes(b, 30, LANES)) == set(ALL)
    await database.release_lanes(b)
    assert len(await database.lease_lanes(c, 30, 5)) == 5


async def test_a_lease_ends_by_the_databases_clock(database):
    dead, heir = uuid4(), uuid4()
    assert len(await database.lease_lanes(dead, 0.2, LANES)) == LANES
    await asyncio.sleep(0.4)
    assert len(await database.lease_lanes(heir, 30, LANES)) == LANES
    late = await database.lease_lanes(dead, 30, LANES)
    assert list(late) == []


async def test_a_lane_never_has_two_owners(database):
    owners = [uuid4() for _ in range(4)]
    for _ in range(3):
        held = await asyncio.gather(*[database.lease_lanes(o, 30, LANES) for o in owners])
        counted = Counter(lane for lanes in held for lane in lanes)
        assert set(counted.values()) <= {1}
    for owner in owners:
        await database.lease_lanes(owner, 30, LANES)
    final = [await database.lease_lanes(o, 30, LANES) for o in owners]
    assert sorted(lane for lanes in final for lane in lanes) == list(ALL)
    assert {len(lanes) for lanes in final} == {LANES // 4}


# inbox


async def test_an_id_is_claimed_once_per_consumer(database):
    ids = [uuid4() for _ in range(3)]
    async with database.transaction() as tx:
        assert await database.claim(tx, C, ids[:2]) == set(ids[:2])
    async with database.transaction() as tx:
        assert await database.claim(tx, C, ids) == {ids[2]}
        assert await database.claim(tx, "other", ids) == set(ids)
        seen = await database.seen(tx, C, [*ids, uuid4()], [])
    assert seen.handled == set(ids)
    assert all(isinstance(i, UUID) for i in seen.handled)


@pytest.mark.servers
@pytest.mark.parametrize("commits", [True, False])
async def test_a_concurrent_claim_waits_for_the_first(postgres_database, commits):
    database, id_ = postgres_database, uuid4()
    claimed = asyncio.Event()

    async def first():
        async with database.transaction() as tx:
            await database.claim(tx, C, [id_])
            claimed.set()
            await asyncio.sleep(0.2)
            if not commits:
                await tx.rollback()

    async def second():
        await claimed.wait()
        async with database.transaction() as tx:
            return await database.claim(tx, C, [id_])

    _, new = await asyncio.gather(first(), second())
    assert new == (set() if commits else {id_})


@pytest.mark.servers
async def test_a_claim_that_is_not_committed_is_not_waited_for_long(postgres_database):
    """As when its process is stopped: the server ends the transaction that it hears nothing of."""
    database, id_ = postgres_database, uuid4()
    with pytest.raises(DBAPIError):
        async with database.transaction() as still:
            await database.claim(still, C, [id_], within=0.3)
            async with database.transaction() as tx:
                assert await database.claim(tx, C, [id_]) == {id_}
                await asyncio.sleep(0.6)  # as a handler may take: that was not the last claim
    async with database.transaction() as tx:
        assert (await database.seen(tx, C, [id_], [])).handled == {id_}


@pytest.mark.servers
async def test_a_handler_that_is_gone_is_not_waited_for_long(postgres_database):
    """As when its machine is: nobody tells the server, and what it has locked others need."""
    database, id_ = postgres_database, uuid4()
    lock = text("SELECT pg_advisory_xact_lock(42)")
    with pytest.raises(DBAPIError):
        async with database.transaction() as gone:
            await database.seen(gone, C, [id_], [], within=0.3)
            await gone.execute(lock)
            async with database.transaction() as tx, asyncio.timeout(5):
                await tx.execute(lock)
            await database.claim(gone, C, [id_])


async def test_old_ids_are_forgotten_in_portions(database):
    async with database.transaction() as tx:
        await database.claim(tx, C, [uuid4() for _ in range(5)])
    assert await database.forget_inbox(3600, 10) == 0
    await asyncio.sleep(0.05)
    assert await database.forget_inbox(0.01, 3) == 3
    assert await database.forget_inbox(0.01, 3) == 2


# parked


async def test_parked_events_come_back_as_they_were(database):
    event = parking(status="dead", error="ValueError: no", attempts=3)
    await park(database, event)
    (row_,) = await database.list_parked(C, "dead", 10)
    for field in event.__dataclass_fields__:
        if field != "delay":
            assert getattr(row_, field) == getattr(event, field)
    assert row_.consumer == C
    assert row_.first_failed_at.tzinfo
    assert row_.next_at.tzinfo
    assert await database.list_parked("other", None, 10) == []
    assert await database.list_parked(None, "retry", 10) == []


async def test_parked_ids_count_as_handled_and_their_keys_are_blocked(database):
    long_key = "\x00" + "x" * 5000
    events = [parking("a"), parking(long_key, "dead")]
    await park(database, *events)
    async with database.transaction() as tx:
        ids = [e.event_id for e in events]
        seen = await database.seen(tx, C, ids, ["a", "b", long_key])
        assert (seen.handled, seen.blocked) == (set(ids), {"a", long_key})
        other = await database.seen(tx, "other", ids, ["a"])
    assert (other.handled, other.blocked) == (set(), set())


async def test_parking_again_or_after_handling_changes_nothing(database):
    first, handled = parking("a", reason="first"), parking("b")
    async with database.transaction() as tx:
        await database.claim(tx, C, [handled.event_id])
    await park(database, first, handled)
    await park(database, parking("a", event_id=first.event_id, status="dead", reason="second"))
    (row_,) = await database.list_parked(None, None, 10)
    assert (row_.event_id, row_.status, row_.reason) == (first.event_id, "retry", "first")


async def test_only_the_first_of_a_key_is_ever_due(database):
    a = [parking("a"), parking("a", "waiting"), parking("a", "waiting")]
    await park(database, *a)
    for event in a:
        async with database.transaction() as tx:
            taken = await database.take_due(tx, C)
            assert taken.event_id == event.event_id
            assert (await database.take_next(tx, C, "a")).event_id == event.event_id
            await database.unpark(tx, taken.seq)
    assert await take(database) is None
    assert await take(database, "a") is None


async def test_a_failed_event_waits_its_delay_and_those_behind_it_wait_too(database):
    first, second = parking("a"), parking("a", "waiting")
    await park(database, first, second, parking("late", delay=60.0))
    async with database.transaction() as tx:
        taken = await database.take_due(tx, C)
        await database.postpone(tx, taken.seq, error="E: x", reason="handler-error", delay=0.3)
    assert await take(database) is None
    assert await take(database, "a") is None
    await asyncio.sleep(0.35)
    taken = await take(database)
    assert (taken.event_id, taken.attempts, taken.error) == (first.event_id, 1, "E: x")


async def test_a_dead_letter_blocks_its_key_until_it_is_replayed_or_discarded(database):
    first, second = parking("a"), parking("a", "waiting")
    await park(database, first, second)
    async with database.transaction() as tx:
        taken = await database.take_due(tx, C)
        await database.postpone(tx, taken.seq, error="E", reason="max-attempts", delay=None)
    dead = (await database.list_parked(C, "dead", 10))[0]
    assert dead.reason == "max-attempts"
    assert await take(database) is None
    assert await take(database, "a") is None
    assert await decide(database, REPLAY, dead.seq, dead.seq + 1) == 1  # the second is not dead
    again = await take(database)
    assert (again.event_id, again.attempts, again.status) == (first.event_id, 0, "retry")
    assert await decide(database, DISCARD, dead.seq) == 0
    async with database.transaction() as tx:
        await database.postpone(tx, dead.seq, error="E", reason="rejected", delay=None)
    assert await decide(database, DISCARD, dead.seq) == 1
    assert (await take(database)).event_id == second.event_id
    async with database.transaction() as tx:
        seen = await database.seen(tx, C, [first.event_id], [])
    assert seen.handled == {first.event_id}  # a redelivery does not bring it back


@pytest.mark.servers
async def test_nobody_takes_what_another_works_on_nor_what_is_behind_it(postgres_database):
    database = postgres_database
    events = [parking("a"), parking("a", "waiting"), parking("b"), parking("c", "waiting")]
    await park(database, *events)
    async with database.transaction() as one, database.transaction() as two:
        a = await database.take_due(one, C)
        b = await database.take_due(two, C)
        async with database.transaction() as three:
            c = await database.take_due(three, C)
            assert {x.key for x in (a, b, c)} == {"a", "b", "c"}
            async with database.transaction() as four:
                assert await database.take_due(four, C) is None
                assert await database.take_next(four, C, "a") is None
        await database.unpark(one, a.seq)
        async with database.transaction() as four:
            assert (await database.take_due(four, C)).key == "c"  # `a` is not committed yet
    assert (await take(database, "a")).event_id == events[1].event_id


@pytest.mark.servers
async def test_many_workers_keep_the_order_of_every_key(postgres_database):
    database = postgres_database
    events = [parking(f"k{n % 5}", "waiting", body=b"%d" % n) for n in range(100)]
    await park(database, *events)
    done = []

    async def worker():
        while await ids_in(database):
            async with database.transaction() as tx:
                taken = await database.take_due(tx, C)
                if taken is None:
                    continue
                await asyncio.sleep(0.001)
                done.append((taken.key, int(taken.body)))
                await database.unpark(tx, taken.seq)

    async with asyncio.timeout(30):
        await asyncio.gather(*[worker() for _ in range(4)])
    assert len(done) == 100
    for key in {key for key, _ in done}:
        numbers = [n for k, n in done if k == key]
        assert numbers == sorted(numbers)
