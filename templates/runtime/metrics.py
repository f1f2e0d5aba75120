"""Every metric the service exports, by its Prometheus name. One process, one registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500)

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
    "eventgen_outbox_pending", "Events that wait in the outbox", registry=REGISTRY
)
OUTBOX_OLDEST = Gauge(
    "eventgen_outbox_oldest_seconds", "Age of the oldest event in the outbox", registry=REGISTRY
)
RELAY_LANES = Gauge(
    "eventgen_relay_lanes", "Outbox lanes this process holds the lease of", registry=REGISTRY
)
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
PARKED = Gauge(
    "eventgen_parked",
    "Events parked, by status (retry, waiting, dead)",
    ["subscription", "status"],
    registry=REGISTRY,
)
LAG = Gauge(
    "eventgen_consumer_lag",
    "Messages on the broker that this service has not acknowledged",
    ["subscription"],
    registry=REGISTRY,
)
