"""Logging: structlog for the service, and the libraries' own logging sent to the same output.

Everything goes to stderr, so that what a command prints on stdout stays data.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

# Called with the name of a step (`relay.sent`) and its fields, whatever the level of the log.
Observer = Callable[[str, "EventDict"], None]

_QUIET = ("uvicorn", "sqlalchemy", "aiosqlite", "asyncio")  # from warnings on only


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


def _json() -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]


def _console(stream: TextIO) -> list[Processor]:
    colors = stream.isatty() and not os.environ.get("NO_COLOR")
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]


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
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    for name in _QUIET:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(max(threshold, logging.WARNING))
