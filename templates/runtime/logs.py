"""Logging: structlog for the service, and the libraries' own logging sent to the same output.

Everything goes to stderr, so that what a command prints on stdout stays data.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from opentelemetry import trace

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from .database import OutboxRow, PendingRow
    from .envelope import Envelope

# Called with the name of a step (`relay.sent`) and its fields, whatever the level of the log.
Observer = Callable[[str, "EventDict"], None]

# A password in a URL, wherever one turns up: in an exception of a driver, for one.
_PASSWORD = re.compile(r'(://[^\s:/@"]*:)[^\s/@"]+(?=@)')

# The event whose handler runs now: what is logged meanwhile, by whomever, says so. It is read when
# there is something to log, so that it costs next to nothing.
EVENT: ContextVar[Envelope | None] = ContextVar("event", default=None)

_QUIET = ("uvicorn", "sqlalchemy", "aiosqlite", "asyncio")  # from warnings on only
# What Alembic says before it does anything, or nothing.
_PREAMBLE = ("Context impl ", "Will assume ")


def configure(level: str = "info", format_: str = "auto", observer: Observer | None = None) -> None:
    """Set up logging for this process. `format_` is console, json, or auto: by the terminal."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    stream = sys.stderr
    json = format_ == "json" or (format_ == "auto" and not stream.isatty())
    shared = _shared()
    render = _json() if json else _console(stream)
    watch: list[Processor] = [] if observer is None else [_Watch(observer, threshold)]
    structlog.configure(
        processors=[_add_name, *watch, *shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(
            threshold if observer is None else logging.DEBUG
        ),
        logger_factory=_Loggers(stream),
        # A logger that is kept does not follow a second `configure`, as tests and `dev` need.
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(stream, threshold, shared, render)


def about_row(row: OutboxRow | PendingRow) -> dict[str, str | None]:
    """What a log entry says about an event in the outbox."""
    return {
        "event_id": str(row.event_id),
        "event_type": row.type,
        "key": row.key,
        "correlation_id": row.headers.get("ce_correlationid"),
        "causation_id": row.headers.get("ce_causationid"),
    }


class _Output(structlog.WriteLogger):
    """Writes lines, and knows its name."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name


class _Loggers:
    """Makes loggers that keep the name given to `structlog.get_logger`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, *args: Any) -> _Output:
        return _Output(self._stream, str(args[0]) if args else "")


class _Watch:
    """Shows every entry to an observer, then drops what is below the level of the log."""

    def __init__(self, observer: Observer, threshold: int) -> None:
        self._observer = observer
        self._threshold = threshold

    def __call__(self, _logger: WrappedLogger, method: str, entry: EventDict) -> EventDict:
        self._observer(str(entry.get("event", "")), entry)
        level = logging.ERROR if method == "exception" else logging.getLevelName(method.upper())
        if isinstance(level, int) and level < self._threshold:
            raise structlog.DropEvent
        return entry


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        _add_event,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _add_name(logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    record = entry.get("_record")
    name = record.name if record is not None else getattr(logger, "name", "")
    if name:
        entry["logger"] = name
    return entry


def _add_event(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    if (envelope := EVENT.get()) is not None:
        entry.setdefault("event_id", str(envelope.id))
        entry.setdefault("event_type", envelope.type)
        entry.setdefault("correlation_id", envelope.correlation_id)
        entry.setdefault("causation_id", envelope.causation_id)
    return entry


def _add_trace(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        entry["trace_id"] = trace.format_trace_id(span.trace_id)
        entry["span_id"] = trace.format_span_id(span.span_id)
    return entry


def _hide_passwords(_logger: WrappedLogger, _method: str, rendered: Any) -> str:
    """The last processor: what it is given is the whole line."""
    return _PASSWORD.sub(r"\1***", rendered)


def _json() -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
        _hide_passwords,
    ]


def _console(stream: TextIO) -> list[Processor]:
    colors = stream.isatty() and not os.environ.get("NO_COLOR")
    plain = structlog.dev.plain_traceback
    return [
        structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain),
        _hide_passwords,
    ]


def _route_standard_logging(
    stream: TextIO, threshold: int, shared: list[Processor], render: list[Processor]
) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_add_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    handler.addFilter(lambda record: not str(record.msg).startswith(_PREAMBLE))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    for name in _QUIET:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(max(threshold, logging.WARNING))
