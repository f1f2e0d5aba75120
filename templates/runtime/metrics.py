"""Every metric the service exports, by its Prometheus name. One process, one registry.

Those that count what is in the database are the same in every process: take their maximum, not
their sum. Labels have few values, all known from the specification: never an id, a key or a type
that somebody else made up.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, CPU, open files

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500)

# the process ------------------------------------------------------------------------------------

BUILD = Info("eventgen_build", "The service and its version", registry=REGISTRY)
DRAINING = Gauge(
    "eventgen_draining",
    "1 while the process finishes what it has in hand before it ends",
    registry=REGISTRY,
)
MEASURED = Gauge(
    "eventgen_measured_timestamp_seconds",
    "When the gauges of the database were last measured; it stands still while that is away",
    registry=REGISTRY,
)

# publishing -------------------------------------------------------------------------------------

PUBLISHED = Counter(
    "eventgen_events_published_total",
    "Events the broker has confirmed",
    ["type"],
    registry=REGISTRY,
)
PUBLISH_FAILURES = Counter(
    "eventgen_publish_failures_total",
    "Attempts to publish that failed, by outcome (transient, permanent)",
    ["outcome"],
    registry=REGISTRY,
)
OUTBOX_PENDING = Gauge(
    "eventgen_outbox_pending", "Events that wait in the outbox for a relay", registry=REGISTRY
)
OUTBOX_OLDEST = Gauge(
    "eventgen_outbox_oldest_seconds", "Age of the oldest of them", registry=REGISTRY
)
OUTBOX_POISON = Gauge(
    "eventgen_outbox_poison",
    "Events in the outbox that the broker refuses; later ones of their keys wait",
    registry=REGISTRY,
)
RELAYS = Gauge("eventgen_relays", "Relays at work, of all processes", registry=REGISTRY)
RELAY_LANES = Gauge(
    "eventgen_relay_lanes", "Outbox lanes this process holds the lease of", registry=REGISTRY
)

# handling ---------------------------------------------------------------------------------------

RECEIVED = Counter(
    "eventgen_events_received_total",
    "Events taken from the broker, by what became of them "
    "(handled, duplicate, parked, dead, skipped, ignored)",
    ["subscription", "result"],
    registry=REGISTRY,
)
RETRIES = Counter(
    "eventgen_event_retries_total",
    "Handler attempts that failed and will be tried again",
    ["subscription"],
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "eventgen_dead_letters_total",
    "Events given up, by reason (undecodable, invalid, rejected, permanent-error, max-attempts)",
    ["subscription", "reason"],
    registry=REGISTRY,
)
HANDLER_SECONDS = Histogram(
    "eventgen_handler_duration_seconds",
    "Time spent in a handler",
    ["subscription", "type"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
BATCH_SIZE = Histogram(
    "eventgen_batch_size",
    "Events that shared one transaction",
    ["subscription"],
    buckets=_BATCH,
    registry=REGISTRY,
)
BREAKER_OPEN = Gauge(
    "eventgen_breaker_open",
    "1 while what the handlers need is away and their events are held back",
    ["subscription"],
    registry=REGISTRY,
)
SUBSCRIPTION_PAUSED = Gauge(
    "eventgen_subscription_paused",
    "1 while somebody has the subscription paused",
    ["subscription"],
    registry=REGISTRY,
)
LAG = Gauge(
    "eventgen_consumer_lag",
    "Messages in the partitions of this process that it has not acknowledged",
    ["subscription"],
    registry=REGISTRY,
)
PARKED = Gauge(
    "eventgen_parked",
    "Events parked, by status (retry, waiting, dead)",
    ["subscription", "status"],
    registry=REGISTRY,
)
PARKED_OLDEST = Gauge(
    "eventgen_parked_oldest_seconds",
    "Age of the oldest of them, by status (retry, waiting, dead)",
    ["subscription", "status"],
    registry=REGISTRY,
)
