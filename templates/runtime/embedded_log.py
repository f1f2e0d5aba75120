"""The statements of the embedded broker's log, and which messages of it a destination means."""

# ruff: noqa: S608  - statements are put together from constants alone; values are parameters
from __future__ import annotations

import re
from typing import NamedTuple

from sqlalchemy import BigInteger, bindparam, text

FETCH = 500  # messages read at a time ...
FETCH_BYTES = 16 * 1024 * 1024  # ... and what they may weigh
LAST = 2**62  # no id is higher

_PARAMETER = re.compile(r"\{[^{}]+\}")
_LOCK = 0x6576_656E_7467_656E  # of the log's one writer at a time
_MEANT = """destination LIKE :pattern ESCAPE '!' AND id >= :start AND id <= :end
            AND published_at >= :since"""


class Destination:
    """A channel's destination, whose `{parameters}` each stand for one word."""

    def __init__(self, destination: str) -> None:
        fixed = _PARAMETER.split(destination)
        # LIKE takes too much (any text for `%`; SQLite ignores case), so the pattern decides.
        self.like = "%".join(re.sub(r"([!%_])", r"!\1", part) for part in fixed)
        self.pattern = re.compile("[A-Za-z0-9_-]+".join(map(re.escape, fixed)))

    def means(self, destination: str) -> bool:
        """Whether a message with this destination is meant."""
        return self.pattern.fullmatch(destination) is not None


class _Dialect(NamedTuple):
    """Where the databases differ. `lock` makes the order of ids the order of commits."""

    now: str  # seconds since 1970
    id: str
    bytes: str
    lock: str | None


DIALECTS = {
    "postgresql": _Dialect(
        now="extract(epoch FROM clock_timestamp())::float8",
        id="bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        bytes="bytea",
        lock=f"SELECT pg_advisory_xact_lock({_LOCK})",
    ),
    "sqlite": _Dialect(
        now="((julianday('now') - 2440587.5) * 86400.0)",
        id="INTEGER PRIMARY KEY AUTOINCREMENT",
        bytes="BLOB",
        lock=None,
    ),
}


class Statements:
    """The log's statements in one dialect."""

    def __init__(self, dialect: _Dialect) -> None:
        now = dialect.now
        self.lock = dialect.lock
        self.create = (
            f"""
            CREATE TABLE IF NOT EXISTS embedded_log (
              id {dialect.id}, destination text NOT NULL, part int NOT NULL, key text,
              headers text NOT NULL, body {dialect.bytes} NOT NULL, published_at float NOT NULL)
            """,
            # One row: who consumes, and what is done of each partition, written together. `low` is
            # the least of `positions`; `pattern` says for LIKE which destinations are meant.
            """
            CREATE TABLE IF NOT EXISTS embedded_group (
              name text NOT NULL, pattern text NOT NULL, owner text NOT NULL,
              lease_until float NOT NULL, positions text NOT NULL, low bigint NOT NULL,
              PRIMARY KEY (name, pattern))
            """,
        )
        self.publish = f"""
            INSERT INTO embedded_log (destination, part, key, headers, body, published_at)
            VALUES (:destination, :part, :key, :headers, :body, {now})"""
        self.acquire = f"""
            INSERT INTO embedded_group (name, pattern, owner, lease_until, positions, low)
            VALUES (:name, :pattern, :owner, {now} + :lease, '{{}}', 0)
            ON CONFLICT (name, pattern) DO UPDATE
            SET owner = excluded.owner, lease_until = excluded.lease_until
            WHERE embedded_group.owner = :owner OR embedded_group.lease_until <= {now}
            RETURNING positions, low"""
        self.keep = f"""
            UPDATE embedded_group
            SET lease_until = {now} + :lease, positions = :positions, low = :low
            WHERE name = :name AND pattern = :pattern AND owner = :owner RETURNING 1"""
        # No more than weighs so much together, but one message in any case. The sizes are looked
        # at by themselves, or every body would be read twice.
        self.read = text(f"""
            SELECT id, destination, part, key, headers, body FROM embedded_log
            WHERE {_MEANT} AND id <= (
              SELECT max(id) FROM (
                SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM (
                  SELECT id, length(body) AS size FROM embedded_log
                  WHERE {_MEANT} ORDER BY id LIMIT :limit) AS next) AS weighed
              WHERE before < :bytes)
            ORDER BY id""").bindparams(
            bindparam("start", type_=BigInteger()),
            bindparam("end", type_=BigInteger()),
            bindparam("bytes", type_=BigInteger()),
        )
        self.end = "SELECT coalesce(max(id), 0) FROM embedded_log"
        self.lag = """
            SELECT count(*) FROM embedded_log
            WHERE destination LIKE :pattern ESCAPE '!' AND id >= coalesce(
              (SELECT low FROM embedded_group WHERE name = :name AND pattern = :pattern), 0)"""
        self.trim = f"""
            DELETE FROM embedded_log WHERE published_at < {now} - :retention
            AND NOT EXISTS (SELECT 1 FROM embedded_group g
              WHERE embedded_log.destination LIKE g.pattern ESCAPE '!' AND embedded_log.id >= g.low)
            """
