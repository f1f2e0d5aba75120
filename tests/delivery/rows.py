"""The rows of the fault matrix."""

from __future__ import annotations

from typing import Final

from tests.delivery.matrix import Row, Stack

EVERYWHERE: Final = tuple(Stack)
BOTH: Final = (Stack.KAFKA, Stack.SQLITE)
KAFKA: Final = (Stack.KAFKA,)
SERVERS: Final = (Stack.KAFKA, Stack.RABBITMQ, Stack.REDIS, Stack.NATS, Stack.SQS)
STARTED_AGAIN: Final = tuple(stack for stack in SERVERS if stack is not Stack.SQS)

_DATABASE_IS_BROKER: Final = "the embedded broker is the database: row 12"
_SAME_PARTS: Final = "its parts are in other columns"

KILLED_PUBLISHER: Final = Row(
    1,
    "kill -9 of a publisher in the middle of its transactions, several times",
    BOTH,
    "",
    "the outbox is written after the commit, in a transaction of its own: events are lost",
    why_not=_SAME_PARTS,
)
ROLLBACK: Final = Row(
    2,
    "a transaction is rolled back after it published",
    BOTH,
    "none of its events is on the broker",
    "the outbox is written although the transaction is rolled back: ghosts",
    why_not=_SAME_PARTS,
)
BETWEEN_PUBLISH_AND_MARK: Final = Row(
    3,
    "kill -9 of a relay between the broker's word and its note in the outbox, three times",
    tuple(stack for stack in Stack if stack is not Stack.SQS),
    "there are more messages on the broker than events",
    "the inbox claims nothing: double effects",
    why_not="SQS drops what is repeated within five minutes, so that nothing is seen",
)
KILLED_WITH_LEASES: Final = Row(
    4,
    "kill -9 of one of two relays while it holds lanes",
    BOTH,
    "the other relay holds every lane",
    "lanes are not taken over when their lease ends: events stay in the outbox",
    why_not=_SAME_PARTS,
)
MANY_RELAYS: Final = Row(
    5,
    "four relays at once, each kept waiting by the broker by chance",
    BOTH,
    "",
    "relays take rows, locked or marked, instead of lanes: inversions",
    why_not=_SAME_PARTS,
)
ZOMBIE_RELAY: Final = Row(
    6,
    "a relay is stopped (SIGSTOP) between two waves until others have done its work, then goes on",
    BOTH,
    "it repeats at most the wave that was under way",
    "it does not notice that its lease has ended: it repeats all it had read",
    why_not=_SAME_PARTS,
)
ONE_KEY_TWO_WRITERS: Final = Row(
    7,
    "two transactions publish for one key, and the first to do so would commit last",
    BOTH,
    "the order of effects is the order of commits",
    "keys are not locked at the flush: the order of ids is not that of commits (PostgreSQL only:"
    " SQLite has one writer, nothing of ours can be switched off)",
    why_not=_SAME_PARTS,
)
KILLED_CONSUMER: Final = Row(
    8,
    "kill -9 of a consumer in the middle of handlers; and while one slow event holds up what was"
    " done behind it",
    EVERYWHERE,
    "more than one process had a share of the work",
    "acknowledged before the commit: lost; inbox off: doubles; commits past what is not done: lost",
)
AFTER_COMMIT: Final = Row(
    9,
    "kill -9 of a consumer after its commit and before the acknowledgement, twice",
    (*SERVERS, Stack.SQLITE),
    "",
    "the inbox claims nothing: double effects",
    why_not=_SAME_PARTS,
)
KILLED_BROKER: Final = Row(
    10,
    "kill -9 of the broker under load, started again on its data",
    STARTED_AGAIN,
    "",
    "see row 11",
    why_not=f"{_DATABASE_IS_BROKER}; an ElasticMQ that is started again on its file gives away what"
    " is behind a message that is held, as SQS never does: its address alone is killed, row 11",
)
BROKER_AWAY: Final = Row(
    11,
    "the broker is away, longer than the client tries to deliver, and events are published then",
    SERVERS,
    "the outbox holds every event of that time; no attempt is counted",
    "an event counts as sent whatever the broker said: lost",
    why_not=_DATABASE_IS_BROKER,
)
DATABASE_AWAY: Final = Row(
    12,
    "PostgreSQL: kill -9 under load, started again; then its connections are terminated, again and"
    " again. SQLite: another process keeps the file locked, longer than anybody waits for it",
    (*BOTH, Stack.REDIS),
    "",
    "events are claimed in a transaction of their own: lost",
    why_not=_SAME_PARTS,
)
DUPLICATES: Final = Row(
    13,
    "every fifth message is published twice",
    BOTH,
    "there are more messages on the broker than events",
    "the inbox claims nothing: double effects",
    why_not=_SAME_PARTS,
)
POISON: Final = Row(
    16,
    "the handler always fails for one event; after it was mended the dead letter is replayed",
    BOTH,
    "all events of other keys are handled, those behind it are parked until the replay",
    "events do not wait behind a parked one of their key: inversions",
    why_not=_SAME_PARTS,
)
PASSING_ERRORS: Final = Row(
    19,
    "handlers fail by chance, one time in ten; half of these ask for a later attempt",
    BOTH,
    "the handler was called more often than there are events",
    "what asks for a later attempt is given up: lost",
    why_not=_SAME_PARTS,
)
SLOW_HANDLER: Final = Row(
    20,
    "a handler takes longer than the group waits for a poll",
    KAFKA,
    "the handler was called once for each event",
    "the broker is not polled while an event is under way: handlers are called again",
    why_not="Kafka's limit; RabbitMQ's is half an hour, SQS's is extended, the others have none",
)
REBALANCES: Final = Row(
    22,
    "consumers come and go, every other one by kill -9, so that the group never rests; and one"
    " stands still (SIGSTOP) until others have taken its place, then goes on",
    EVERYWHERE,
    "",
    "the inbox claims nothing: double effects; the server waits for who stands still before its"
    " commit: events are not handled",
)
SIGNALS: Final = Row(
    24,
    "SIGTERM under load, one consumer after the other",
    BOTH,
    "exit code 0 each time; the handler was called once for each event",
    "no drain: handlers are called again",
    why_not=_SAME_PARTS,
)
IMPATIENT_SIGNALS: Final = Row(
    25,
    "SIGTERM twice, and SIGINT, under load",
    BOTH,
    "the second signal ends the process at once; SIGINT drains as SIGTERM does",
    "none: it ends as in row 8, and the mechanisms are the same",
    why_not=_SAME_PARTS,
)
FROZEN_SERVERS: Final = Row(
    26,
    "the broker neither answers nor closes its connections (SIGSTOP), then goes on; PostgreSQL does"
    " so for longer than the leases of lanes last",
    SERVERS,
    "",
    "see rows 6 and 11",
    why_not="the embedded broker is the database, and a file has no connections",
)
NO_ROOM: Final = Row(
    28,
    "PostgreSQL says that its disk is full (its own error, raised by a trigger), then has room",
    KAFKA,
    "no attempt is counted and nothing is parked meanwhile",
    "it is not told from an error of the handler: events are parked",
    why_not="PostgreSQL is the same in the first column; SQLite's disk is the machine's",
)
POISON_ROW: Final = Row(
    29,
    "an event that is refused for good (too large); the limit is raised and it is sent again",
    SERVERS,
    "all events of other keys are handled, those of its key stay in the outbox",
    "later events of its key do not wait for it: inversions",
    why_not="the embedded broker refuses nothing",
)
LOST_DATA: Final = Row(
    32,
    "the broker comes back without what it had confirmed; it is published again from the archive",
    (Stack.REDIS, Stack.NATS),
    "what was not handled is lost until then",
    "none: nothing else brings it back",
    why_not="it keeps what it has confirmed on the disk, whatever its settings",
)
FIRST_FAILS: Final = Row(
    37,
    "every third message fails the first time it is sent, while others of its key would succeed",
    BOTH,
    "",
    "all events are sent at once, whatever key they have: inversions",
    why_not=_SAME_PARTS,
)

ROWS: Final = (
    KILLED_PUBLISHER,
    ROLLBACK,
    BETWEEN_PUBLISH_AND_MARK,
    KILLED_WITH_LEASES,
    MANY_RELAYS,
    ZOMBIE_RELAY,
    ONE_KEY_TWO_WRITERS,
    KILLED_CONSUMER,
    AFTER_COMMIT,
    KILLED_BROKER,
    BROKER_AWAY,
    DATABASE_AWAY,
    DUPLICATES,
    Row(
        14,
        "a crash while the broker gives later messages of the key to others",
        why_not="no broker here gives them away: a partition, queue or message group has one reader"
        " at a time, who goes on where the last one was: row 8",
    ),
    Row(
        15,
        "an input with gaps in its sequence",
        why_not="events have no sequence number of their own, so that no gap is seen; the order"
        " promised is that of commits, as the broker keeps it",
    ),
    POISON,
    Row(17, "poison bytes", why_not="not here: `tests/runtime/test_hostile.py`"),
    Row(
        18,
        "an unknown or older version of an event",
        why_not="not here: `tests/runtime/test_upcasting.py`",
    ),
    PASSING_ERRORS,
    SLOW_HANDLER,
    Row(
        21,
        "a slow consumer and a fast publisher",
        why_not="not here: `benchmarks/service/memory.py`",
    ),
    REBALANCES,
    Row(
        23,
        "errors of single requests to the broker",
        why_not="a simulated broker only: no real one fails on demand (rows 10, 11, 26)",
    ),
    SIGNALS,
    IMPATIENT_SIGNALS,
    FROZEN_SERVERS,
    Row(
        27,
        "clocks that are wrong or jump",
        why_not="not here: `test_clocks.py` shows that no process's clock decides anything but the"
        " time and the id of a new event; leases, delays and retention are the database's",
    ),
    NO_ROOM,
    POISON_ROW,
    Row(
        30,
        "the access rules of a broker",
        why_not="not here: `test_kafka_rights.py`, `test_rabbitmq_rights.py` and so on, on servers"
        " set up from what `export` prints",
    ),
    Row(
        31,
        "the end of the inbox's retention",
        why_not="not here: `tests/runtime/test_database.py` and `test_app.py`",
    ),
    LOST_DATA,
    Row(33, "a person's key is destroyed", why_not="fields are not encrypted, so there is no key"),
    Row(
        34,
        "statements that go past the transaction",
        why_not="the runtime never uses the driver's connection by itself",
    ),
    Row(35, "two versions of the runtime at once", why_not="no earlier one has been released"),
    Row(
        36,
        "hours of random faults",
        why_not="not here: `test_soak.py` for a minute, `benchmarks/service/soak.py` for longer",
    ),
    FIRST_FAILS,
)
