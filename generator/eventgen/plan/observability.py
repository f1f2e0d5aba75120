"""What people watch a service by: the alerts and the panels, as tables.

In the queries JOB stands for the label that picks this service's processes, and RATE for an
interval that Grafana chooses; in the texts SERVICE stands for the command. Metrics of the database
are the same in every process, so their maximum counts; those of a process are summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eventgen.model import Text
from eventgen.plan import views
from eventgen.plan.kinds import Subject, View

_PER_ROW = 3
_WIDTH, _HEIGHT = 8, 8  # of a panel, in the 24 columns of a dashboard

# name, query, how long it must hold, severity, summary, what to do
_ALERTS = (
    (
        "ProcessesMissing",
        "absent(eventgen_build_info{JOB})",
        "2m",
        "critical",
        "No process of SERVICE is scraped",
        "Start `SERVICE run`; if it runs, see that its scrape job is called SERVICE",
    ),
    (
        "DatabaseAway",
        "time() - max(eventgen_measured_timestamp_seconds{JOB}) > 60",
        "1m",
        "critical",
        "SERVICE has not reached its database for a minute",
        "Run `SERVICE doctor`: it says why",
    ),
    (
        "RelayMissing",
        "max(eventgen_relays{JOB}) == 0",
        "1m",
        "critical",
        "No relay of SERVICE holds a lease: what it publishes stays in the outbox",
        "Start `SERVICE relay`, or `SERVICE run` with its relay; then run `SERVICE doctor`",
    ),
    (
        "OutboxOld",
        "max(eventgen_outbox_oldest_seconds{JOB}) > 60",
        "2m",
        "critical",
        "An event of SERVICE has waited in the outbox for {{ $value | humanizeDuration }}",
        "Run `SERVICE doctor`, then `SERVICE outbox ls`",
    ),
    (
        "OutboxPoison",
        "max(eventgen_outbox_poison{JOB}) > 0",
        "1m",
        "warning",
        "The broker refuses {{ $value }} events of SERVICE, and later ones of their keys wait",
        "Run `SERVICE outbox ls` for the reason; once it is mended, `SERVICE outbox retry`",
    ),
    (
        "LagGrows",
        (
            "sum by (subscription) (eventgen_consumer_lag{JOB}) > 1000 and "
            "sum by (subscription) (deriv(eventgen_consumer_lag{JOB}[15m])) > 0"
        ),
        "15m",
        "warning",
        "{{ $labels.subscription }} of SERVICE falls behind: {{ $value }} messages wait",
        "Run `SERVICE lag` for the partitions; start more processes, or make its handlers faster",
    ),
    (
        "ConsumerStalled",
        (
            "sum by (subscription) (eventgen_consumer_lag{JOB}) > 0 unless "
            "sum by (subscription) (rate(eventgen_events_received_total{JOB}[5m])) > 0 unless "
            "max by (subscription) (eventgen_subscription_paused{JOB}) > 0"
        ),
        "10m",
        "critical",
        "{{ $labels.subscription }} of SERVICE handles nothing, though messages wait",
        "Run `SERVICE doctor`, then `SERVICE lag`; the log says what the handler waits for",
    ),
    (
        "DeadLetters",
        'max by (subscription) (eventgen_parked{JOB,status="dead"}) > 0',
        "1m",
        "warning",
        "{{ $labels.subscription }} of SERVICE has {{ $value }} dead letters",
        "Run `SERVICE dlq ls`, `SERVICE dlq show NUMBER`; then `dlq replay` or `dlq discard`",
    ),
    (
        "ParkedOld",
        'max by (subscription) (eventgen_parked_oldest_seconds{JOB,status!="dead"}) > 3600',
        "5m",
        "warning",
        (
            "An event of {{ $labels.subscription }} of SERVICE has been retried for "
            "{{ $value | humanizeDuration }}"
        ),
        "Run `SERVICE dlq ls --all` for its error",
    ),
    (
        "BreakerOpen",
        "max by (subscription) (eventgen_breaker_open{JOB}) > 0",
        "5m",
        "warning",
        "{{ $labels.subscription }} of SERVICE has stopped handling: what it depends on fails",
        "Run `SERVICE doctor`; mend what the handler calls, and it goes on by itself",
    ),
)

# title, unit, and each query with the words of its legend
_PANELS = (
    (
        "Messages waiting on the broker",
        "short",
        (("sum by (subscription) (eventgen_consumer_lag{JOB})", "{{subscription}}"),),
    ),
    (
        "Events received",
        "ops",
        (
            (
                "sum by (subscription, result) (rate(eventgen_events_received_total{JOB}[RATE]))",
                "{{subscription}} {{result}}",
            ),
        ),
    ),
    (
        "Time in handlers, 95 %",
        "s",
        (
            (
                (
                    "histogram_quantile(0.95, sum by (type, le) "
                    "(rate(eventgen_handler_duration_seconds_bucket{JOB}[RATE])))"
                ),
                "{{type}}",
            ),
        ),
    ),
    (
        "Age of the oldest event in the outbox",
        "s",
        (("max(eventgen_outbox_oldest_seconds{JOB})", "oldest"),),
    ),
    (
        "Events in the outbox",
        "short",
        (
            ("max(eventgen_outbox_pending{JOB})", "waiting"),
            ("max(eventgen_outbox_poison{JOB})", "refused by the broker"),
        ),
    ),
    (
        "Events published",
        "ops",
        (
            ("sum by (type) (rate(eventgen_events_published_total{JOB}[RATE]))", "{{type}}"),
            (
                "sum by (outcome) (rate(eventgen_publish_failures_total{JOB}[RATE]))",
                "failed, {{outcome}}",
            ),
        ),
    ),
    (
        "Parked events and dead letters",
        "short",
        (
            (
                "max by (subscription, status) (eventgen_parked{JOB})",
                "{{subscription}} {{status}}",
            ),
        ),
    ),
    (
        "Age of the oldest parked event",
        "s",
        (
            (
                "max by (subscription, status) (eventgen_parked_oldest_seconds{JOB})",
                "{{subscription}} {{status}}",
            ),
        ),
    ),
    (
        "Failed attempts and dead letters",
        "ops",
        (
            (
                "sum by (subscription) (rate(eventgen_event_retries_total{JOB}[RATE]))",
                "{{subscription}} tried again",
            ),
            (
                "sum by (subscription, reason) (rate(eventgen_dead_letters_total{JOB}[RATE]))",
                "{{subscription}} dead, {{reason}}",
            ),
        ),
    ),
    (
        "Events in one transaction, mean",
        "short",
        (
            (
                (
                    "sum by (subscription) (rate(eventgen_batch_size_sum{JOB}[RATE])) / "
                    "sum by (subscription) (rate(eventgen_batch_size_count{JOB}[RATE]))"
                ),
                "{{subscription}}",
            ),
        ),
    ),
    (
        "Relays, breakers, pauses and drains",
        "short",
        (
            ("max(eventgen_relays{JOB})", "relays"),
            ("sum by (instance) (eventgen_relay_lanes{JOB})", "lanes of {{instance}}"),
            ("max by (subscription) (eventgen_breaker_open{JOB})", "breaker of {{subscription}}"),
            (
                "max by (subscription) (eventgen_subscription_paused{JOB})",
                "pause of {{subscription}}",
            ),
            ("sum(eventgen_draining{JOB})", "processes that drain"),
        ),
    ),
    (
        "Memory",
        "bytes",
        (("process_resident_memory_bytes{JOB}", "{{instance}}"),),
    ),
)


def observability_view(subject: Subject) -> Iterable[View]:
    """For what stands in `deploy/observability/`."""
    service = subject.service.name.kebab
    yield View(
        views.ObservabilityView(
            service=service,
            alert_prefix=subject.service.name.pascal,
            alerts=tuple(_alert(service, *row) for row in _ALERTS),
            panels=tuple(_panel(number, *row) for number, row in enumerate(_PANELS)),
        )
    )


def _alert(service: str, name: str, query: str, *rest: str) -> views.AlertView:
    hold, severity, summary, remedy = rest
    return views.AlertView(
        name=name,
        query=Text(query.replace("JOB", f'job="{service}"')),
        hold=hold,
        severity=severity,
        summary=Text(summary.replace("SERVICE", service)),
        remedy=Text(remedy.replace("SERVICE", service)),
    )


def _panel(
    number: int, title: str, unit: str, queries: tuple[tuple[str, str], ...]
) -> views.PanelView:
    return views.PanelView(
        id=number + 1,
        title=title,
        unit=unit,
        column=number % _PER_ROW * _WIDTH,
        row=number // _PER_ROW * _HEIGHT,
        width=_WIDTH,
        height=_HEIGHT,
        queries=tuple(
            views.QueryView(
                ref=chr(ord("A") + place),
                query=Text(query.replace("JOB", 'job="$job"').replace("RATE", "$__rate_interval")),
                legend=Text(legend),
                comma=_comma(place, queries),
            )
            for place, (query, legend) in enumerate(queries)
        ),
        comma=_comma(number, _PANELS),
    )


def _comma(place: int, items: Sequence[object]) -> str:
    return "," if place + 1 < len(items) else ""
