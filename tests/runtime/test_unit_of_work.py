from __future__ import annotations

import pytest
from runtime.errors import NotPublishable
from runtime.outbox import Publisher
from runtime.unit_of_work import UnitOfWork
from sqlalchemy import text

from tests.support.samples import SERVICE, Unknown, order

pytestmark = pytest.mark.anyio
PUBLISHER = Publisher(SERVICE)


@pytest.fixture
async def effects(database):
    async with database.transaction() as tx:
        await tx.execute(text("CREATE TABLE effect (v int)"))

    async def count() -> int:
        async with database.transaction() as tx:
            return (await tx.execute(text("SELECT count(*) FROM effect"))).scalar_one()

    return count


async def insert(uow: UnitOfWork) -> None:
    await uow.db.execute(text("INSERT INTO effect VALUES (1)"))


async def test_work_and_events_are_committed_together_and_the_relay_is_woken_after(
    database, effects
):
    depth_at_wake = []
    uow = UnitOfWork(database, PUBLISHER, lambda: depth_at_wake.append(1), correlation_id="web")
    async with uow:
        await insert(uow)
        ids = [uow.publish(order()), uow.publish(order())]
        assert depth_at_wake == []
    assert depth_at_wake == [1]
    assert await effects() == 1
    rows = await database.list_outbox(10)
    assert [row.event_id for row in rows] == ids
    assert rows[0].headers["ce_correlationid"] == "web"


async def test_an_exception_leaves_nothing(database, effects):
    woken = []
    uow = UnitOfWork(database, PUBLISHER, lambda: woken.append(1))

    async def fail():
        async with uow:
            await insert(uow)
            uow.publish(order())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await effects(), await database.list_outbox(10), woken) == (0, [], [])


async def test_a_session_cannot_commit_or_roll_back_a_part(database, effects):
    async def commit_then_fail():
        async with UnitOfWork(database, PUBLISHER, print) as uow:
            await insert(uow)
            await uow.db.commit()
            raise ZeroDivisionError

    async def roll_back_and_go_on():
        async with UnitOfWork(database, PUBLISHER, print) as uow:
            await insert(uow)
            uow.publish(order())
            await uow.db.rollback()

    with pytest.raises(ZeroDivisionError):
        await commit_then_fail()
    assert await effects() == 0
    with pytest.raises(RuntimeError, match="rolled back by its own session"):
        await roll_back_and_go_on()
    assert (await effects(), await database.list_outbox(10)) == (0, [])


async def test_refused_events_and_misuse(database):
    uow = UnitOfWork(database, PUBLISHER, lambda: pytest.fail("nothing was published"))
    with pytest.raises(RuntimeError, match="inside `async with`"):
        uow.publish(order())
    async with uow:
        with pytest.raises(NotPublishable):
            uow.publish(Unknown())
    with pytest.raises(RuntimeError, match="used once"):
        await uow.__aenter__()
    with pytest.raises(RuntimeError, match="inside `async with`"):
        uow.db  # noqa: B018
    assert await database.list_outbox(10) == []
