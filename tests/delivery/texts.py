"""What the service that proves delivery is made of: specification, handler, scripts, statements."""

from __future__ import annotations

# Stands for the topic in the generated project; each test has a topic of its own.
TOPIC = "order.placed.topic"

SPEC = """\
eventgen: 1
service: proof
publishes:
  order.placed:
    channel: TOPIC
    key: customer
    data: {customer: string, number: integer, poison: boolean, note: string}
subscribes:
  order.placed:
""".replace("TOPIC", TOPIC)

RETRY = """
channels:
  TOPIC:
    retry: {attempts: 5, initial: 0.2, factor: 1.5, maximum: 1}
""".replace("TOPIC", TOPIC)

HANDLER = '''\
"""Writes one row for each order it handles."""

from __future__ import annotations

import asyncio
import os
import random

from sqlalchemy import text

from .._generated.events import OrderPlaced
from .._generated.publishers import Context
from .._runtime.errors import Retry

EFFECT = "INSERT INTO effects (customer, number, pid) VALUES (:customer, :number, :pid)"


async def on_order_placed(event: OrderPlaced, ctx: Context) -> None:
    """One effect a call; a little work, so that a kill finds something in flight."""
    with open("calls", "ab", buffering=0) as calls:
        calls.write(b".")
    await asyncio.sleep(float(os.environ.get("PROOF_WORK", "0.01")))
    if event.customer == os.environ.get("PROOF_SLOW"):
        await asyncio.sleep(float(os.environ["PROOF_SLOW_SECONDS"]))
    if event.poison and "PROOF_CURED" not in os.environ:
        raise ValueError(f"order {event.number} of {event.customer} is poison")
    if random.random() < float(os.environ.get("PROOF_FAIL", "0")):
        raise random.choice([Retry(after=0.2), RuntimeError("by chance")])
    values = {"customer": event.customer, "number": event.number, "pid": os.getpid()}
    await ctx.db.execute(text(EFFECT), values)
'''

PUBLISH = '''\
"""publish.py COUNT CUSTOMERS POISON: commit COUNT orders, several writers at once.

Each order's number comes from its customer's row, locked: numbers follow the order of commits.
PROOF_HOLD is how long each transaction stays open, PROOF_TAKEN_BACK which orders (each n-th) are
rolled back after they were published; the number of those is negative. POISON is the customer
whose second order is poison.
"""

import asyncio
import os
import sys

from sqlalchemy import text

from proof._generated.events import OrderPlaced
from proof._generated.service import SERVICE
from proof._runtime.databases import open_database
from proof._runtime.outbox import Publisher
from proof._runtime.unit_of_work import UnitOfWork

WRITERS = 4
NEXT = "UPDATE source SET number = number + 1 WHERE customer = :customer RETURNING number"
HOLD = float(os.environ.get("PROOF_HOLD", "0"))
TAKEN_BACK = int(os.environ.get("PROOF_TAKEN_BACK", "0"))


class TakenBack(Exception):
    pass


async def place(database, publisher, customer, poison, *, taken_back=False):
    async with UnitOfWork(database, publisher, lambda: None) as uow:
        found = await uow.db.execute(text(NEXT), {"customer": customer})
        number = found.scalar_one()
        bad = number == 2 and customer == poison
        note = "x" * int(os.environ.get("PROOF_NOTE", "0")) if bad else ""
        shown = -number if taken_back else number
        uow.publish(OrderPlaced(customer=customer, number=shown, poison=bad, note=note))
        await asyncio.sleep(HOLD)
        if taken_back:
            raise TakenBack


async def write(database, publisher, orders, poison):
    for place_, customer in enumerate(orders, 1):
        if TAKEN_BACK and place_ % TAKEN_BACK == 0:
            try:
                await place(database, publisher, customer, poison, taken_back=True)
            except TakenBack:
                pass
        while True:
            try:
                await place(database, publisher, customer, poison)
                break
            except Exception as error:
                # Whether an interrupted commit happened, nobody knows; the next number tells.
                if not (isinstance(error, OSError) or database.is_outage(error)):
                    raise
                await asyncio.sleep(0.2)


async def main(count, customers, poison):
    database = open_database(os.environ["PROOF_DATABASE_URL"])
    publisher = Publisher(SERVICE)
    orders = [f"c{number % customers}" for number in range(count)]
    writers = (write(database, publisher, orders[n::WRITERS], poison) for n in range(WRITERS))
    await asyncio.gather(*writers)
    await database.close()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
'''

RACE = '''\
"""race.py CUSTOMERS: of each customer, two transactions at once; print who committed first.

The first publishes and then waits for the second to commit, as long as half a second.
"""

import asyncio
import json
import os
import sys

from proof._generated.events import OrderPlaced
from proof._generated.service import SERVICE
from proof._runtime.databases import open_database
from proof._runtime.outbox import Publisher


async def commit(database, publisher, customer, number, commits, flushed, wait_for):
    order = OrderPlaced(customer=customer, number=number, poison=False, note="")
    async with database.transaction() as tx:
        await database.add_to_outbox(tx, [publisher.row(order)])
        flushed.set()
        if wait_for is not None:
            await asyncio.wait({wait_for}, timeout=0.5)
    commits.append(number)


async def race(database, publisher, customer):
    commits, first, second = [], asyncio.Event(), asyncio.Event()

    async def follow():
        await first.wait()
        await commit(database, publisher, customer, 2, commits, second, None)

    following = asyncio.create_task(follow())
    await commit(database, publisher, customer, 1, commits, first, following)
    await following
    return commits


async def main(customers):
    database = open_database(os.environ["PROOF_DATABASE_URL"])
    publisher = Publisher(SERVICE)
    print(json.dumps({f"c{n}": await race(database, publisher, f"c{n}") for n in range(customers)}))
    await database.close()


asyncio.run(main(int(sys.argv[1])))
'''

TABLES = """
CREATE TABLE source (customer text PRIMARY KEY, number int NOT NULL);
CREATE TABLE effects (
  id NUMBERED, customer text NOT NULL, number int NOT NULL, pid int NOT NULL
);
"""
NUMBERED = {"postgresql": "bigserial PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT"}

# Order within a key is the order of ids: two effects of one key are never written at the same time.
COUNTS = """
WITH RECURSIVE placed (customer, number) AS (
  SELECT customer, number FROM source WHERE number > 0
  UNION ALL SELECT customer, number - 1 FROM placed WHERE number > 1
)
SELECT
  (SELECT count(*) FROM placed) AS placed,
  (SELECT count(*) FROM effects) AS effects,
  (SELECT count(*) FROM placed p WHERE NOT EXISTS (
     SELECT 1 FROM effects e WHERE e.customer = p.customer AND e.number = p.number)) AS lost,
  (SELECT count(*) - count(DISTINCT customer || ':' || number) FROM effects) AS doubles,
  (SELECT count(*) FROM effects e WHERE NOT EXISTS (
     SELECT 1 FROM placed p WHERE e.customer = p.customer AND e.number = p.number)) AS ghosts,
  (SELECT count(*) FROM (
     SELECT number, lag(number) OVER (PARTITION BY customer ORDER BY id) AS before FROM effects
   ) o WHERE o.number < o.before) AS inversions,
  (SELECT count(*) FROM outbox) AS outbox,
  (SELECT count(*) FROM parked) AS parked
"""

# On the embedded broker: what was published, and what its group has not acknowledged.
EMBEDDED_MESSAGES = "SELECT count(*) AS n FROM embedded_log"
EMBEDDED_BEHIND = """
SELECT count(*) AS n FROM embedded_log
WHERE id >= coalesce((SELECT min(low) FROM embedded_group), 0)
"""
