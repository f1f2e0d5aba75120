"""The statements of the runtime in PostgreSQL's language.

They are sent as they stand, with arrays for sets, so that each is one prepared statement whatever
the size of the batch.
"""

# ruff: noqa: S608  - statements are put together from constants alone; values are parameters
from __future__ import annotations

from .dialect import ARCHIVED, PARKED, PENDING

NOW = "clock_timestamp()"  # the time of the statement; now() is that of the transaction
# The server ends a transaction of which it hears nothing for so long, as that of a machine that is
# paused or gone: another process waits for the same rows.
_LIMITED = """
CASE WHEN {0}::text IS NULL THEN true
  ELSE set_config('idle_in_transaction_session_timeout', {0}::text, true) IS NOT NULL END
"""
LIMIT = f"SELECT {_LIMITED.format('$1')}"
CALLS = "eventgen_outbox"  # the channel on which relays are called
_PENDING = PENDING.replace("headers", "headers::text")
_PARKED = PARKED.replace("headers", "headers::text")

LOCK_KEYS = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key"
ADD_TO_OUTBOX = """
INSERT INTO outbox (lane, event_id, type, destination, key, headers, body)
SELECT lane, event_id, type, destination, key, headers::jsonb, body
FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
     WITH ORDINALITY AS new (lane, event_id, type, destination, key, headers, body, place)
ORDER BY place
"""

SIGN_IN = f"""
INSERT INTO outbox_relay (owner, lease_until) VALUES ($1, {NOW} + make_interval(secs => $2))
ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until
"""
FORGET_RELAYS = f"DELETE FROM outbox_relay WHERE lease_until <= {NOW}"
COUNT_RELAYS = "SELECT count(*) FROM outbox_relay"
RENEW_LANES = f"""
UPDATE outbox_lane SET lease_until = {NOW} + make_interval(secs => $2)
WHERE owner = $1 AND lease_until > {NOW} RETURNING lane
"""
GIVE_LANES = """
UPDATE outbox_lane SET owner = NULL, lease_until = '-infinity'
WHERE owner = $1 AND lane = ANY($2::smallint[])
"""
TAKE_LANES = f"""
WITH free AS (
  SELECT lane FROM outbox_lane WHERE lease_until <= {NOW}
  ORDER BY random() LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE outbox_lane l SET owner = $1, lease_until = {NOW} + make_interval(secs => $2)
FROM free WHERE l.lane = free.lane RETURNING l.lane
"""
RELEASE_LANES = """
UPDATE outbox_lane SET owner = NULL, lease_until = '-infinity' WHERE owner = $1
"""
SIGN_OUT = "DELETE FROM outbox_relay WHERE owner = $1"

# Along the primary key, whatever the statistics say: they are of some minutes ago, when the outbox
# was empty, and a plan that reads and sorts all of it took ten times as long with 50,000 rows.
ALONG_IDS = "SET LOCAL enable_sort = off"
# No more than weighs so much together, but one row in any case. The size of a body is known without
# reading it. Nested, so that the planner sees that nothing needs sorting.
SELECT_PENDING = f"""
SELECT {_PENDING} FROM outbox WHERE id = ANY(ARRAY(
  SELECT id FROM (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM (
      SELECT id, octet_length(body) AS size FROM outbox o
      WHERE lane = ANY($1::smallint[]) AND status = 'pending'
        AND (key IS NULL OR key <> ALL($3::text[])) AND id <> ALL($4::bigint[])
        AND NOT EXISTS (
          SELECT 1 FROM outbox p WHERE p.key = o.key AND p.id < o.id AND p.status = 'poison'
        )
      ORDER BY id LIMIT $2) AS next) AS weighed
  WHERE before < $5))
ORDER BY id
"""
DELETE_SENT = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
KEEP_SENT = f"""
WITH gone AS ({DELETE_SENT} RETURNING {ARCHIVED})
INSERT INTO outbox_sent ({ARCHIVED}) SELECT {ARCHIVED} FROM gone ON CONFLICT (event_id) DO NOTHING
"""
FORGET_SENT = f"""
DELETE FROM outbox_sent WHERE event_id IN (
  SELECT event_id FROM outbox_sent WHERE sent_at < {NOW} - make_interval(secs => $1)
  ORDER BY sent_at LIMIT $2
) RETURNING 1
"""
LIST_OUTBOX = f"SELECT {_PENDING} FROM outbox ORDER BY id LIMIT $1"
MARK_FAILED = """
UPDATE outbox SET attempts = attempts + 1, last_error = $2,
  status = CASE WHEN attempts + 1 >= $3 THEN 'poison' ELSE 'pending' END
WHERE id = $1 RETURNING status
"""

SEEN = f"""
SELECT event_id, NULL AS key FROM inbox WHERE consumer = $1 AND event_id = ANY($2::uuid[])
UNION ALL
SELECT event_id, NULL FROM parked WHERE consumer = $1 AND event_id = ANY($2::uuid[])
UNION ALL
SELECT DISTINCT NULL::uuid, key FROM parked WHERE consumer = $1 AND key = ANY($3::text[])
UNION ALL
SELECT NULL, NULL WHERE NOT {_LIMITED.format("$4")}
"""
CLAIM = f"""
INSERT INTO inbox (consumer, event_id) SELECT $1, id FROM unnest($2::uuid[]) AS id
WHERE {_LIMITED.format("$3")}
ON CONFLICT DO NOTHING RETURNING event_id
"""
FORGET_INBOX = f"""
DELETE FROM inbox WHERE (consumer, event_id) IN (
  SELECT consumer, event_id FROM inbox WHERE handled_at < {NOW} - make_interval(secs => $1)
  ORDER BY handled_at LIMIT $2
) RETURNING 1
"""

PARK = f"""
INSERT INTO parked (consumer, event_id, key, type, headers, body, origin, status, reason, error,
                    attempts, next_at)
SELECT $1, event_id, key, type, headers::jsonb, body, origin, status, reason, error, attempts,
       {NOW} + make_interval(secs => delay)
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::int[], $12::float8[]) WITH ORDINALITY
     AS new (event_id, key, type, headers, body, origin, status, reason, error, attempts, delay,
             place)
WHERE NOT EXISTS (SELECT 1 FROM inbox i WHERE i.consumer = $1 AND i.event_id = new.event_id)
ORDER BY place
ON CONFLICT (consumer, event_id) DO NOTHING
"""
# Two questions, so that neither reads the many rows that may wait behind a blocked key: the first
# goes through an index by time, the second from key to key.
TAKE_DUE_RETRY = f"""
SELECT {_PARKED} FROM parked p
WHERE consumer = $1 AND status = 'retry' AND next_at <= {NOW}
  AND NOT EXISTS (
    SELECT 1 FROM parked e WHERE e.consumer = p.consumer AND e.key = p.key AND e.seq < p.seq
  )
ORDER BY next_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED
"""
TAKE_WAITING_HEAD = f"""
WITH RECURSIVE waiting AS (
  SELECT min(key) AS key FROM parked WHERE consumer = $1 AND status = 'waiting'
  UNION ALL
  SELECT (SELECT min(p.key) FROM parked p
          WHERE p.consumer = $1 AND p.status = 'waiting' AND p.key > w.key)
  FROM waiting w WHERE w.key IS NOT NULL
), heads AS (
  SELECT (SELECT min(p.seq) FROM parked p WHERE p.consumer = $1 AND p.key = w.key) AS seq
  FROM waiting w WHERE w.key IS NOT NULL
)
SELECT {_PARKED} FROM parked p
WHERE seq IN (SELECT seq FROM heads) AND status = 'waiting'
ORDER BY seq LIMIT 1 FOR UPDATE OF p SKIP LOCKED
"""
TAKE_NEXT = f"""
SELECT {_PARKED} FROM parked p
WHERE seq = (SELECT min(seq) FROM parked WHERE consumer = $1 AND key = $2)
  AND (status = 'waiting' OR status = 'retry' AND next_at <= {NOW})
FOR UPDATE OF p SKIP LOCKED
"""
POSTPONE = f"""
UPDATE parked SET attempts = attempts + 1, error = $2, reason = $3,
  status = CASE WHEN $4::float8 IS NULL THEN 'dead' ELSE 'retry' END,
  next_at = {NOW} + make_interval(secs => coalesce($4::float8, 0))
WHERE seq = $1
"""
LIST_PARKED = f"""
SELECT {_PARKED} FROM parked
WHERE ($1::text IS NULL OR consumer = $1) AND ($2::text IS NULL OR status = $2)
ORDER BY seq LIMIT $3
"""
