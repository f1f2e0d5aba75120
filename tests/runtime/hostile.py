"""Messages as no service of ours would send them, and how each one has to end.

Each has neighbours of other keys before and behind it, in the same lanes: theirs is the proof that
nothing was held up.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from runtime.consumer import Consumption
from runtime.handling import Handling
from runtime.outbox import Publisher
from runtime.parked import ParkedWorker
from runtime.service import Channel, EventType, RetryPolicy, Route, Service, Subscription
from sqlalchemy import text

from tests.runtime.delivering import CONSUMER, PAID, Paid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REFUNDED = EventType("order.refunded", "1.0.0", Paid, ("order_id",))
SECONDS = 90.0
GROUP = "billing"
HUGE = 20 * 1024 * 1024

Headers = tuple[tuple[str, bytes | None], ...]

HANDLED = "handled"
IGNORED = "ignored"  # acknowledged, as no handler here takes events of that type
INVALID = "dead: invalid"
UNDECODABLE = "dead: undecodable"
FAILED = "dead: max-attempts"


@dataclass(frozen=True)
class Hostile:
    """One message. `wire`: only Kafka can carry it, other brokers' headers are text."""

    name: str
    end: str
    body: bytes | None
    headers: Headers
    key: bytes | None
    wire: bool = False


def _hostile(name: str, end: str, body: Any = ..., **changes: Any) -> Hostile:
    """A message that would be handled but for what is given; `None` leaves a header out."""
    if body is ...:
        body = _json(name)
    headers = {
        "ce_specversion": b"1.0",
        "ce_id": str(uuid4()).encode(),
        "ce_type": b"order.paid",
        "ce_source": b"/shop",
        "ce_time": b"2026-01-02T03:04:05Z",
        "content-type": b"application/json",
        "case": name.encode(),
    }
    headers |= changes.get("headers", {})
    kept = tuple((k, v) for k, v in headers.items() if v is not None)
    key = changes.get("key", name.encode())
    return Hostile(name, end, body, kept + changes.get("more", ()), key, changes.get("wire", False))


def _json(name: str, number: str = "1", extra: str = "") -> bytes:
    return f'{{"order_id":{json.dumps(name)},"n":{number}{extra}}}'.encode()


DEEP = b"[" * 100_000
NINES = "9" * 5000

CASES = (
    # The content type is a claim. What decides is whether the body is the event.
    _hostile("content type says xml", HANDLED, headers={"content-type": b"text/xml"}),
    _hostile("content type missing", HANDLED, headers={"content-type": None}),
    _hostile("xml", INVALID, b"<order id='1'/>", headers={"content-type": b"text/xml"}),
    _hostile("avro", INVALID, b"\x00\x00\x00\x00\x07\x02k\x02", headers={"content-type": b"avro"}),
    # The body.
    _hostile("empty body", INVALID, b""),
    _hostile("truncated JSON", INVALID, _json("truncated JSON")[:-3]),
    _hostile("two documents", INVALID, _json("two documents") * 2),
    _hostile("not an object", INVALID, b'["order_id"]'),
    _hostile("null literal", INVALID, b"null"),
    _hostile("wrong type of a field", INVALID, b'{"order_id": 7}'),
    _hostile("random bytes", INVALID, bytes(range(256))),
    _hostile("byte order mark", INVALID, b"\xef\xbb\xbf" + _json("bom")),
    _hostile("UTF-16", INVALID, _json("UTF-16").decode().encode("utf-16")),
    _hostile("not UTF-8", INVALID, b'{"order_id":"caf\xe9"}'),
    _hostile("lone surrogate", INVALID, b'{"order_id":"\\ud800"}'),
    _hostile("20 MB", INVALID, _json("x" * HUGE)),
    _hostile("20 MB of spaces", INVALID, b" " * HUGE),
    _hostile("nested 100,000 deep", INVALID, DEEP),
    _hostile("nested in a further field", INVALID, _json("x", "1", f',"x":{DEEP.decode()}')),
    _hostile("a number of 5,000 digits", INVALID, _json("x", NINES)),
    _hostile("the same in a further field", INVALID, _json("x", "1", f',"x":{NINES}')),
    _hostile("a number no column holds", FAILED, _json("x", "9" * 30)),
    _hostile("infinity", HANDLED, _json("infinity", "1", ',"x":1e999999')),
    # The attributes.
    _hostile("id missing", HANDLED, headers={"ce_id": None}),
    _hostile("id empty", HANDLED, headers={"ce_id": b""}),
    _hostile("id that is no UUID", HANDLED, headers={"ce_id": b"17; DROP TABLE inbox"}),
    _hostile("id of 100,000 characters", HANDLED, headers={"ce_id": b"i" * 100_000}),
    _hostile("time that is none", HANDLED, headers={"ce_time": b"yesterday"}),
    _hostile("time out of range", HANDLED, headers={"ce_time": b"99999-13-41T25:61:61Z"}),
    _hostile("trace that is none", HANDLED, headers={"traceparent": b"00-zz-zz-zz"}),
    _hostile("type missing", UNDECODABLE, headers={"ce_type": None}),
    _hostile("type empty", UNDECODABLE, headers={"ce_type": b""}),
    _hostile("unknown type", IGNORED, headers={"ce_type": b"order.eaten"}),
    _hostile("type with a zero", IGNORED, headers={"ce_type": b"order.paid\x00"}),
    _hostile(
        "all attributes missing",
        UNDECODABLE,
        key=None,
        more=(),
        headers=dict.fromkeys(
            ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type")
        ),
    ),
    _hostile("no key", HANDLED, key=None),
    _hostile("key of 100,000 characters", HANDLED, key=b"k" * 100_000),
    _hostile("key with a zero", HANDLED, key=b"k\x00k"),
    _hostile("a thousand headers", HANDLED, more=tuple((f"h{n}", b"v") for n in range(1000))),
    _hostile("header of 500,000 characters", HANDLED, more=(("big", b"v" * 500_000),)),
    _hostile("header with a zero", INVALID, b"?", more=(("z\x01", b"a\x00b"),)),
    _hostile("empty header", HANDLED, more=(("", b""),)),
    # What only Kafka can carry.
    _hostile("tombstone", INVALID, None, wire=True),
    _hostile("tombstone of an unknown type", IGNORED, None, headers={"ce_type": b"x"}, wire=True),
    _hostile("binary header", HANDLED, more=(("bin", bytes(range(256))),), wire=True),
    _hostile(
        "binary header of a dead letter", INVALID, b"!", more=(("bin", b"\xff\x00"),), wire=True
    ),
    _hostile("null header", HANDLED, more=(("nil", None),), wire=True),
    _hostile(
        "null type", UNDECODABLE, headers={"ce_type": None}, more=(("ce_type", None),), wire=True
    ),
    _hostile("binary id", HANDLED, headers={"ce_id": b"\xde\xad\xbe\xef"}, wire=True),
    _hostile("binary type", IGNORED, headers={"ce_type": b"\xff\xfe"}, wire=True),
    _hostile("header twice", HANDLED, more=(("ce_time", b"a"), ("ce_time", b"b")), wire=True),
    _hostile(
        "type twice, the last one counts",
        HANDLED,
        headers={"ce_type": b"order.eaten"},
        more=(("ce_type", b"order.refunded"),),
        wire=True,
    ),
    _hostile("empty key", HANDLED, key=b"", wire=True),
    _hostile("binary key", HANDLED, key=b"\xff\xfe\x00", wire=True),
)


def neighbours(number: int) -> tuple[Hostile, ...]:
    """Two good messages of other keys, to be sent behind a hostile one."""
    return tuple(_hostile(f"good {number} {n}", HANDLED) for n in range(2))


def among_neighbours(cases: tuple[Hostile, ...]) -> tuple[Hostile, ...]:
    """The cases in their order, each between good messages."""
    return neighbours(-1) + tuple(
        one for n, case in enumerate(cases) for one in (case, *neighbours(n))
    )


async def _write(event: Paid, ctx: Any) -> None:
    values = {"k": event.order_id, "n": event.n}
    await ctx.db.execute(text("insert into effect (k, n) values (:k, :n)"), values)


class Victim:
    """A subscription to two types of events; what became of each message that was sent."""

    def __init__(self, database: Any, topic: str) -> None:
        channel = Channel("orders", topic, topic)
        routes = (Route(PAID, _write), Route(REFUNDED, _write))
        retry = RetryPolicy(attempts=1)
        self.database = database
        self.subscription = Subscription(CONSUMER, channel, routes, retry=retry)
        self.service = Service(
            "billing",
            "1.0.0",
            "billing",
            "any",
            None,  # type: ignore[arg-type] - no app makes a transport here
            (),
            (self.subscription,),
        )
        self.consumption: Any = None

    @asynccontextmanager
    async def consuming(self, transport: Any) -> AsyncIterator[None]:
        """Consume, with a worker for what is parked."""
        handling = Handling(self.subscription, self.database, Publisher(self.service), lambda: None)
        self.consumption = Consumption(handling, transport, GROUP)
        stopping = asyncio.Event()
        worker = asyncio.create_task(ParkedWorker(self.database, [handling]).run(stopping))
        await self.consumption.start()
        try:
            yield
        finally:
            stopping.set()
            await worker
            await self.consumption.close()

    async def settled(self, many: int) -> None:
        """Wait until so many messages are acknowledged and the broker knows."""
        async with asyncio.timeout(SECONDS):
            while self.consumption.results.total() < many or await self.consumption.lag() != 0:
                await asyncio.sleep(0.05)

    async def ends(self, cases: tuple[Hostile, ...]) -> dict[str, str]:
        """What became of each message; those without a trace are only counted, as ignored."""
        rows = await self.database.list_parked(CONSUMER, None, 1000)
        bodies = {case.name: case.body or b"" for case in cases}
        assert all(row.body == bodies[row.headers["case"]] for row in rows), "not the original"
        kept = {row.headers["case"]: f"{row.status}: {row.reason}" for row in rows}
        async with self.database.reading() as tx:
            effects = Counter((await tx.execute(text("select k from effect"))).scalars())
        assert set(effects.values()) == {1}, "an effect twice"
        found = kept | dict.fromkeys(effects, HANDLED)
        assert len(found) == len(kept) + len(effects), "handled and kept"
        ignored = [case.name for case in cases if case.name not in found]
        assert len(ignored) == self.consumption.results["ignored"], f"lost: {ignored}"
        return found | dict.fromkeys(ignored, IGNORED)


@asynccontextmanager
async def victim(database: Any, topic: str) -> AsyncIterator[Victim]:
    """A subscription and the table of its effects, in a database with the runtime's tables."""
    serial = "integer primary key"
    if database.engine.dialect.name == "postgresql":
        serial = "bigserial primary key"
    async with database.engine.begin() as connection:
        table = f"create table effect (seq {serial}, k text not null, n bigint not null)"
        await connection.execute(text(table))
    yield Victim(database, topic)
