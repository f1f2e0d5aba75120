"""Mechanisms of the generated runtime switched off, and faults put into it, for the tests alone.

Each is a change of text in one place of one file; `mutate` refuses it when the text has changed.
"""

from __future__ import annotations

from pathlib import Path

from tests.delivery.matrix import Stack
from tests.delivery.proof import mutate

_FILES = dict.fromkeys(Stack, "postgres_sql.py") | {Stack.SQLITE: "sqlite_sql.py"}


# mechanisms -------------------------------------------------------------------------------------


def outbox_after_commit(root: Path) -> None:
    """Events are stored once their transaction is committed, a moment later."""
    stored = """\
            if self._outgoing:
                # Last, so that the locks on the keys are held for the commit and no longer.
                await self._database.add_to_outbox(tx, self._outgoing)
"""
    late = """\
        if self._outgoing:
            import asyncio
            await asyncio.sleep(0.05)
            async with self._database.transaction() as late:
                await self._database.add_to_outbox(late, self._outgoing)
"""
    mutate(root, "unit_of_work.py", stored, late)


def outbox_without_commit(root: Path) -> None:
    """Events are stored although their transaction was rolled back."""
    ended = "        return await self._scope.__aexit__(kind, error, trace)\n"
    stored = """\
        try:
            return await self._scope.__aexit__(kind, error, trace)
        finally:
            if kind is not None:
                async with self._database.transaction() as late:
                    await self._database.add_to_outbox(late, self._outgoing)
"""
    mutate(root, "unit_of_work.py", ended, stored)


def inbox_off(root: Path, stack: Stack) -> None:
    """Claims are not remembered."""
    if stack is Stack.SQLITE:
        claim = (
            "INSERT INTO inbox (consumer, event_id) SELECT ?, value FROM json_each(?) WHERE true\n"
            "ON CONFLICT DO NOTHING RETURNING event_id"
        )
        nothing = "SELECT value AS event_id FROM (SELECT ?), json_each(?)"
    else:
        claim = (
            "INSERT INTO inbox (consumer, event_id) SELECT $1, id FROM unnest($2::uuid[]) AS id\n"
            'WHERE {_LIMITED.format("$3")}\n'
            "ON CONFLICT DO NOTHING RETURNING event_id"
        )
        nothing = (
            "SELECT id AS event_id FROM unnest($2::uuid[]) AS id"
            " WHERE $1::text IS NOT NULL AND $3::text IS NOT NULL"
        )
    mutate(root, _FILES[stack], claim, nothing)


def claim_apart(root: Path) -> None:
    """Events are claimed in a transaction of their own, some time before the effects' commit."""
    together = """\
        new = await self.database.claim(tx, self.subscription.name, ids, within=within)
"""
    apart = """\
        async with self.database.transaction() as own:
            new = await self.database.claim(own, self.subscription.name, ids, within=within)
        await asyncio.sleep(0.2)
"""
    mutate(root, "handling.py", together, apart)


def acknowledge_first(root: Path) -> None:
    """What was taken from the broker is acknowledged on receipt."""
    taken = "work = self._handling.read(message)\n"
    mutate(root, "consumer.py", taken, taken + '            self._done([message], "early")\n')


def commit_past_gaps(root: Path) -> None:
    """What was read counts as done when anything behind it is."""
    mutate(root, "tracker.py", "        if self._open:\n            return self._open[0]\n", "")
    mutate(root, "tracker.py", "return len(self._open)", "return 1")


def no_waiting_behind_parked(root: Path, stack: Stack) -> None:
    """Later events of a key do not wait behind a parked one."""
    if stack is Stack.SQLITE:
        waits = "key IN (SELECT value FROM json_each(?3))"
    else:
        waits = "key = ANY($3::text[])"
    mutate(root, _FILES[stack], waits, waits + " AND false")


def no_key_locks(root: Path) -> None:
    """Keys are not locked before the outbox is written."""
    lock = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key"
    mutate(root, "postgres_sql.py", lock, "SELECT key FROM unnest($1::bigint[]) AS key")


def no_takeover(root: Path, stack: Stack) -> None:
    """A lane is free only when somebody gave it back."""
    if stack is Stack.SQLITE:
        free = "SELECT lane FROM outbox_lane WHERE lease_until <= {NOW} ORDER BY random() LIMIT ?"
        mutate(root, "sqlite_sql.py", free, free.replace("lease_until <= {NOW}", "owner IS NULL"))
        return
    free = "SELECT lane FROM outbox_lane WHERE lease_until <= {NOW}\n"
    mutate(root, "postgres_sql.py", free, "SELECT lane FROM outbox_lane WHERE owner IS NULL\n")


def rows_instead_of_lanes(root: Path, stack: Stack) -> None:
    """Relays share the rows of the outbox, whatever their keys; each row has one relay."""
    mutate(root, "relay.py", "held = frozenset(lanes)", "held = frozenset(range(LANES))")
    if stack is Stack.SQLITE:
        begins = (
            'SELECT_PENDING = f"""\nSELECT {PENDING} FROM outbox WHERE id IN (\n'
            "  SELECT id FROM (\n    SELECT id, sum(size) OVER (ORDER BY id) - size AS before"
            " FROM (\n      SELECT id, length(body) AS size FROM outbox o\n      WHERE lane IN"
        )
        ends = '      ORDER BY id LIMIT ?))\n  WHERE before < ?)\nORDER BY id\n"""\nDELETE_SENT'
        taking = (
            "UPDATE outbox SET attempts = 1 WHERE id IN (\nSELECT id FROM outbox o\n"
            "WHERE attempts = 0 AND lane IN"
        )
        mutate(root, "sqlite_sql.py", begins, f'SELECT_PENDING = f"""\n{taking}')
        taken = 'ORDER BY id LIMIT min(10, ?) + 0 * ?) RETURNING {PENDING}\n"""\nDELETE_SENT'
        mutate(root, "sqlite_sql.py", ends, taken)
        read = "rows = await self._read(sql.SELECT_PENDING"
        mutate(root, "sqlite.py", read, read.replace("_read", "_write"))
        return
    begins = (
        'SELECT_PENDING = f"""\nSELECT {_PENDING} FROM outbox WHERE id = ANY(ARRAY(\n'
        "  SELECT id FROM (\n    SELECT id, sum(size) OVER (ORDER BY id) - size AS before"
        " FROM (\n      SELECT id, octet_length(body) AS size FROM outbox o\n      WHERE lane"
    )
    taking = (
        "WITH taken AS (\nUPDATE outbox SET attempts = 1 WHERE id IN (\n"
        "SELECT id FROM outbox o\nWHERE attempts = 0 AND lane"
    )
    mutate(root, "postgres_sql.py", begins, f'SELECT_PENDING = f"""\n{taking}')
    ends = (
        "      ORDER BY id LIMIT $2) AS next) AS weighed\n  WHERE before < $5))\n"
        'ORDER BY id\n"""\nDELETE_SENT'
    )
    taken = (
        "ORDER BY id LIMIT least(10, $2) FOR UPDATE SKIP LOCKED) RETURNING *)\n"
        'SELECT {_PENDING} FROM taken WHERE $5::bigint > 0 ORDER BY id\n"""\nDELETE_SENT'
    )
    mutate(root, "postgres_sql.py", ends, taken)


def no_fencing(root: Path) -> None:
    """A relay sends what it has read, whether or not it still holds the lanes."""
    holds = (
        "return monotonic() < self._lease_ends and lane_of(row.key, row.event_id) in self._lanes"
    )
    mutate(root, "relay.py", holds, "return True")


def no_waves(root: Path) -> None:
    """All rows are sent at once, several of one key together."""
    mutate(
        root, "relay.py", "return [waves[place] for place in sorted(waves)]", "return [list(rows)]"
    )


def sent_whatever_was_said(root: Path) -> None:
    """An event counts as sent when it was tried."""
    sent = "            for row, _ in (a for a in answers if a[1].outcome is Outcome.SENT):\n"
    mutate(root, "relay.py", sent, "            for row, _ in answers:\n")


def poison_blocks_nobody(root: Path) -> None:
    """Later events of a key do not wait for one that the broker refused for good."""
    poison = "p.status = 'poison'\n"
    mutate(root, "postgres_sql.py", poison, "p.status = 'poison' AND false\n")


def given_up_for_later(root: Path) -> None:
    """An event whose handler asks for a later attempt is done with."""
    mutate(root, "retry.py", 'Verdict("retry", "retry-asked"', 'Verdict("skip", "retry-asked"')


def no_drain(root: Path) -> None:
    """Handlers are cut off when the service is told to stop."""
    mutate(
        root,
        "consumer.py",
        "finished = await self._lanes.drain(seconds)",
        "finished = await self._lanes.drain(0)",
    )


def no_polls_while_busy(root: Path) -> None:
    """The broker hears nothing from a consumer while any event is under way."""
    polls = "            self._receive(client)\n"
    waits = """\
            while any(len(a.tracker) for a in self._assignments.values()):
                self._settle()
                time.sleep(0.01)
"""
    mutate(root, "kafka_consumer.py", polls, waits + polls)


def full_disk_is_the_handlers_error(root: Path) -> None:
    """A database without room is not told from a handler that fails."""
    classes = '_OUTAGE_CLASSES = ("08", "53", "57P")'
    mutate(root, "postgres.py", classes, classes.replace('"53", ', ""))


# faults -----------------------------------------------------------------------------------------


def short_leases(root: Path) -> None:
    """Leases of lanes end after two seconds instead of ten: a dead relay is missed sooner."""
    mutate(root, "relay.py", "lease_seconds: float = 10.0", "lease_seconds: float = 2.0")


def dies_between_publish_and_mark(root: Path) -> None:
    """With PROOF_DIES, the relay is killed once the broker has all it was sent."""
    sent = "        reached = await self._send(rows)\n"
    mutate(root, "relay.py", sent, sent + _kill("SIGKILL"))


def stops_between_waves(root: Path) -> None:
    """With PROOF_DIES, the relay is stopped, once, before it sends its second wave."""
    wave = (
        "            ready = [row for row in wave if row.key not in failed and self._holds(row)]\n"
    )
    stop = _kill("SIGSTOP", 'outcomes and os.environ.pop("PROOF_DIES", "")', indent=12)
    mutate(root, "relay.py", wave, stop + wave)


def waits_before_commit(root: Path) -> None:
    """The consumer takes a moment between its claims and their commit."""
    claimed = "        if len(new) != len(ids):\n"
    mutate(root, "handling.py", claimed, "        await asyncio.sleep(0.3)\n" + claimed)


def waits_for_whoever_stands_still(root: Path) -> None:
    """The server lets a transaction be, however long nothing is heard of it."""
    mutate(root, "handling.py", "COMMIT_WITHIN = 5.0", "COMMIT_WITHIN = 3600.0")


def dies_after_commit(root: Path) -> None:
    """With PROOF_DIES, the consumer is killed once a transaction is committed."""
    told = '        """Their transaction is committed."""\n'
    mutate(root, "consumer.py", told, told + _kill("SIGKILL"))


def _kill(signal: str, when: str = '"PROOF_DIES" in os.environ', indent: int = 8) -> str:
    lines = ("import os, signal", f"if {when}:", f"    os.kill(os.getpid(), signal.{signal})")
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def slow_broker(root: Path) -> None:
    """The broker takes its time with every message, by chance up to 50 ms."""
    publish = "        publishing = asyncio.ensure_future(self._transport.publish(messages))\n"
    wait = "        await asyncio.sleep(random.uniform(0.0, 0.05))\n"
    mutate(root, "relay.py", publish, wait + publish)


def every_fifth_twice(root: Path) -> None:
    """Every fifth message is published a second time."""
    answers = "            answers = await self._answers(messages)\n"
    mutate(root, "relay.py", answers, answers + "            await self._answers(messages[::5])\n")


def every_third_fails_first(root: Path) -> None:
    """Every third message, by its body, is not sent the first time; the relay is told so."""
    publish = "asyncio.ensure_future(self._transport.publish(messages))"
    mutate(root, "relay.py", publish, "asyncio.ensure_future(_flaky(self._transport, messages))")
    begins = "class _Delays:\n"
    flaky = """\
_failed = set()


async def _flaky(transport, messages):
    from zlib import crc32

    bad = {m.body for m in messages if crc32(m.body) % 3 == 0} - _failed
    _failed.update(bad)
    sent = iter(await transport.publish([m for m in messages if m.body not in bad]))
    told = Sent(Outcome.TRANSIENT, "by chance")
    return [told if m.body in bad else next(sent) for m in messages]


"""
    mutate(root, "relay.py", begins, flaky + begins)
