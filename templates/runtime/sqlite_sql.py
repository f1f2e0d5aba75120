"""The statements of the runtime in SQLite's language, with JSON arrays for sets."""

# ruff: noqa: S608  - statements are put together from constants alone; values are parameters
from __future__ import annotations

from .dialect import ARCHIVED, PARKED, PENDING

NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
# The parameter is a number of seconds as text.
LATER = "strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds')"

ADD_TO_OUTBOX = """
INSERT INTO outbox (lane, event_id, type, destination, key, headers, body)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

SIGN_IN = f"""
INSERT INTO outbox_relay (owner, lease_until) VALUES (?, {LATER})
ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until
"""
FORGET_RELAYS = f"DELETE FROM outbox_relay WHERE lease_until <= {NOW}"
COUNT_RELAYS = "SELECT count(*) FROM outbox_relay"
RENEW_LANES = f"""
UPDATE outbox_lane SET lease_until = {LATER}
WHERE owner = ? AND lease_until > {NOW} RETURNING lane
"""
GIVE_LANES = """
UPDATE outbox_lane SET owner = NULL, lease_until = ''
WHERE owner = ? AND lane IN (SELECT value FROM json_each(?))
"""
TAKE_LANES = f"""
UPDATE outbox_lane SET owner = ?, lease_until = {LATER}
WHERE lane IN (
  SELECT lane FROM outbox_lane WHERE lease_until <= {NOW} ORDER BY random() LIMIT ?
) RETURNING lane
"""
RELEASE_LANES = "UPDATE outbox_lane SET owner = NULL, lease_until = '' WHERE owner = ?"
SIGN_OUT = "DELETE FROM outbox_relay WHERE owner = ?"

# No more than weighs so much together, but one row in any case. The size of a body is known without
# reading it.
SELECT_PENDING = f"""
SELECT {PENDING} FROM outbox WHERE id IN (
  SELECT id FROM (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM (
      SELECT id, length(body) AS size FROM outbox o
      WHERE lane IN (SELECT value FROM json_each(?)) AND status = 'pending'
        AND (key IS NULL OR key NOT IN (SELECT value FROM json_each(?)))
        AND id NOT IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (
          SELECT 1 FROM outbox p WHERE p.key = o.key AND p.id < o.id AND p.status = 'poison'
        )
      ORDER BY id LIMIT ?))
  WHERE before < ?)
ORDER BY id
"""
DELETE_SENT = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))"
KEEP_SENT = f"""
INSERT INTO outbox_sent ({ARCHIVED})
SELECT {ARCHIVED} FROM outbox WHERE id IN (SELECT value FROM json_each(?))
ON CONFLICT (event_id) DO NOTHING
"""
FORGET_SENT = f"""
DELETE FROM outbox_sent WHERE event_id IN (
  SELECT event_id FROM outbox_sent WHERE sent_at < {LATER} ORDER BY sent_at LIMIT ?
) RETURNING 1
"""
LIST_OUTBOX = f"SELECT {PENDING} FROM outbox ORDER BY id LIMIT ?"
MARK_FAILED = """
UPDATE outbox SET attempts = attempts + 1, last_error = ?,
  status = CASE WHEN attempts + 1 >= ? THEN 'poison' ELSE 'pending' END
WHERE id = ? RETURNING status
"""

SEEN = """
SELECT event_id, NULL AS key FROM inbox
WHERE consumer = ?1 AND event_id IN (SELECT value FROM json_each(?2))
UNION ALL
SELECT event_id, NULL FROM parked
WHERE consumer = ?1 AND event_id IN (SELECT value FROM json_each(?2))
UNION ALL
SELECT DISTINCT NULL, key FROM parked
WHERE consumer = ?1 AND key IN (SELECT value FROM json_each(?3))
"""
CLAIM = """
INSERT INTO inbox (consumer, event_id) SELECT ?, value FROM json_each(?) WHERE true
ON CONFLICT DO NOTHING RETURNING event_id
"""
FORGET_INBOX = """
DELETE FROM inbox WHERE (consumer, event_id) IN (
  SELECT consumer, event_id FROM inbox
  WHERE handled_at < strftime('%Y-%m-%d %H:%M:%f', 'now', ? || ' seconds')
  ORDER BY handled_at LIMIT ?
) RETURNING 1
"""

PARK = f"""
INSERT INTO parked (consumer, event_id, key, type, headers, body, origin, status, reason, error,
                    attempts, next_at)
SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {LATER}
WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE consumer = ? AND event_id = ?)
ON CONFLICT (consumer, event_id) DO NOTHING
"""
TAKE_DUE = f"""
SELECT {PARKED} FROM parked p
WHERE consumer = ? AND (status = 'waiting' OR status = 'retry' AND next_at <= {NOW})
  AND NOT EXISTS (
    SELECT 1 FROM parked e WHERE e.consumer = p.consumer AND e.key = p.key AND e.seq < p.seq
  )
ORDER BY next_at, seq LIMIT 1
"""
TAKE_NEXT = f"""
SELECT {PARKED} FROM parked
WHERE seq = (SELECT min(seq) FROM parked WHERE consumer = ? AND key = ?)
  AND (status = 'waiting' OR status = 'retry' AND next_at <= {NOW})
"""
POSTPONE = f"""
UPDATE parked SET attempts = attempts + 1, error = ?, reason = ?, status = ?, next_at = {LATER}
WHERE seq = ?
"""
LIST_PARKED = f"""
SELECT {PARKED} FROM parked
WHERE (?1 IS NULL OR consumer = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY seq LIMIT ?3
"""
