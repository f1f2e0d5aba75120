"""The service as a process: signals, HTTP, and the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from typing import TYPE_CHECKING

import structlog

from .errors import ConfigurationError
from .health import HttpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import FrameType

    from .app import App

log = structlog.get_logger("eventgen.app")


class Crashed(Exception):  # noqa: N818  - says what happened
    """The service ended because a part of it failed. The log says which and why."""


async def serve(make: Callable[[], App]) -> None:
    """Run the app that `make` makes, with HTTP, until a signal ends it.

    Raises ConfigurationError and Crashed.
    """
    stopping = asyncio.Event()
    with signals(stopping):
        app = make()
        gc.freeze()  # what is there now stays: the collector need not look through it again
        try:
            async with http(app):
                await app.run(stopping)
        except ConfigurationError:
            raise
        except Exception as error:
            log.critical("service.crashed", exc_info=error)
            raise Crashed from error


@contextlib.asynccontextmanager
async def http(app: App) -> AsyncIterator[str]:
    """Serve liveness, readiness and metrics meanwhile; where, as `127.0.0.1:8080`."""
    settings = app.settings
    server = HttpServer(
        app.not_ready, settings.http_host, settings.http_port, app.service.env_prefix
    )
    serving = asyncio.create_task(server.serve(), name="http")
    log.info("http.listening", address=server.address)
    try:
        yield server.address
    finally:
        server.close()
        await asyncio.wait({serving}, timeout=3.0)
        serving.cancel()


@contextlib.contextmanager
def signals(stopping: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stopping`; the second of them ends the process at once."""
    loop = asyncio.get_running_loop()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        # Set here, not by the loop: should the loop be stuck, the next signal still gets through.
        stopping.set()
        loop.call_soon_threadsafe(lambda: None)  # wakes the loop up

    known = {n: signal.signal(n, on_signal) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in known.items():
            signal.signal(number, handler)
