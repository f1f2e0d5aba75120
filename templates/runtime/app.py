"""One process of the service: its parts, put together, started, watched and drained."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Self

import structlog

from . import pauses
from .connecting import connect_broker, connect_database, is_away, line, require_tables
from .consumer import Consumption
from .handling import Handling
from .housekeeping import Housekeeping
from .metrics import BUILD, DRAINING
from .outbox import Publisher
from .parked import ParkedWorker
from .relay import Relay
from .retry import outage_delay
from .tasks import Tasks, sleep, unless
from .unit_of_work import UnitOfWork
from .wakeup import Wakeup

if TYPE_CHECKING:
    from types import TracebackType

    from .database import Database
    from .service import Service
    from .settings import ServiceSettings
    from .transport import Transport

PROBE_SECONDS = 2.0  # longest wait for the word of a database or broker
CLOSE_SECONDS = 3.0  # for each connection, once everything else is done
CRASH_SECONDS = 5.0  # to finish what is under way after a crash

log = structlog.get_logger("eventgen.app")


class App:
    """The service in this process.

    ```python
    async with App(SERVICE, Settings()) as app:
        async with app.unit_of_work() as uow:
            uow.publish(OrderPlaced(...))
    ```
    `async with` returns once the service runs, or once it is clear that its database or broker is
    away: then it goes on trying, and `not_ready` says so. The app closes what it was given.
    """

    def __init__(  # noqa: PLR0913  - what is not given is made from the settings
        self,
        service: Service,
        settings: ServiceSettings,
        database: Database | None = None,
        transport: Transport | None = None,
        *,
        consume: bool = True,
        relay: bool | None = None,
    ) -> None:
        """`consume` and `relay` choose the parts that run here. Raises ConfigurationError."""
        for check in service.checks:
            check.prepare()
        self.service = service
        self.settings = settings
        self.database = database or connect_database(service, settings)
        self.transport = transport or connect_broker(service, settings, self.database)
        self._publisher = Publisher(service)
        wanted = settings.relay if relay is None else relay
        keep = settings.outbox_retention_days > 0
        self._relay = (
            Relay(self.database, self.transport, keep_sent=keep, system=service.broker)
            if wanted
            else None
        )
        self._wakeup = Wakeup(self.database, self._relay.wake if self._relay else None)
        handlings = [
            Handling(subscription, self.database, self._publisher, self._wakeup.ring)
            for subscription in (service.subscriptions if consume else ())
        ]
        self._flows = [handling.flow for handling in handlings]
        self.consumptions: Sequence[Consumption] = [
            Consumption(handling, self.transport, service.name) for handling in handlings
        ]
        self._parked = ParkedWorker(self.database, handlings)
        self._housekeeping = Housekeeping(
            self.database,
            self.consumptions,
            retention_days=settings.inbox_retention_days,
            sent_retention_days=settings.outbox_retention_days,
        )
        self._state = "starting"
        self._consuming = 0  # how many of the consumptions were started
        self._tried = asyncio.Event()  # running, or known to have to wait
        self._tasks = Tasks()
        self._stop_intake = asyncio.Event()
        self._stop_relay = asyncio.Event()
        self._stopping = asyncio.Event()  # of `async with`
        self._running: asyncio.Task[None] | None = None

    # using it -----------------------------------------------------------------------------------

    def unit_of_work(self, *, correlation_id: str | None = None) -> UnitOfWork[Any]:
        """A transaction whose events are published if it commits."""
        return UnitOfWork(
            self.database, self._publisher, self._wakeup.ring, correlation_id=correlation_id
        )

    async def not_ready(self) -> Sequence[str]:
        """Why this process should get no work now; empty when it should."""
        if self._state != "running":
            return [f"the service is {self._state}"]
        database, broker = await asyncio.gather(
            _answers(self.database.healthy()), _answers(self.transport.healthy())
        )
        reasons = [] if database else ["the database does not answer"]
        return reasons if broker else [*reasons, "the broker does not answer"]

    async def __aenter__(self) -> Self:
        """Start. Raises what keeps the service from ever running."""
        self._running = asyncio.create_task(self.run(self._stopping), name="app")
        tried = asyncio.create_task(self._tried.wait())
        await asyncio.wait({self._running, tried}, return_when=asyncio.FIRST_COMPLETED)
        tried.cancel()
        if self._running.done():
            self._running.result()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drain and close. Raises what made a part of the service crash."""
        self._stopping.set()
        assert self._running is not None
        await self._running

    # its life -----------------------------------------------------------------------------------

    async def run(self, stopping: asyncio.Event) -> None:
        """Start, work until `stopping` is set, drain, close. Raises what made a part crash."""
        BUILD.info({"service": self.service.name, "version": self.service.version})
        DRAINING.set(0)
        drain_seconds = CRASH_SECONDS
        try:
            if await self._start(stopping):
                await self._tasks.watch(stopping)
            drain_seconds = self.settings.drain_timeout
        finally:
            await self._shut_down(drain_seconds)

    async def _start(self, stopping: asyncio.Event) -> bool:
        """Start as soon as database and broker can be had; False when stopped before."""
        for attempt in count():
            try:
                if not await unless(stopping, self._connect()):
                    return False
                break
            except Exception as error:
                if not is_away(self.database, error):
                    raise
                delay = outage_delay(attempt)
                log.warning(
                    "service.waiting", attempt=attempt + 1, error=line(error), retry_in=delay
                )
            self._tried.set()
            if await sleep(delay, stopping):
                return False
        self._start_tasks()
        self._state = "running"
        self._tried.set()
        log.info("service.started", service=self.service.name, version=self.service.version)
        return True

    async def _connect(self) -> None:
        """Begin, or go on with what an earlier attempt began."""
        await require_tables(self.service, self.database)
        await pauses.apply(self.database, self._flows)  # before the first event is taken
        if not self._consuming:
            await self.transport.start()
        for consumption in self.consumptions[self._consuming :]:
            await consumption.start()
            self._consuming += 1

    def _start_tasks(self) -> None:
        if self._relay is not None:
            self._tasks.start("relay", self._relay.run(self._stop_relay))
        self._tasks.start("wakeup", self._wakeup.run(self._stop_relay))
        if self.consumptions:
            self._tasks.start("parked", self._parked.run(self._stop_intake))
            following = pauses.follow(self.database, self._flows, self._stop_intake)
            self._tasks.start("pauses", following)
        self._tasks.start("housekeeping", self._housekeeping.run(self._stop_intake))

    async def _shut_down(self, seconds: float) -> None:
        """Finish what is under way within so many seconds, give back what is held, close."""
        self._state = "draining"
        DRAINING.set(1)
        log.info("service.draining", seconds=seconds)
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        started = self.consumptions[: self._consuming]
        self._stop_intake.set()
        # The intake of all stops before the first is waited for.
        await _all("pause", [c.pause() for c in started], CLOSE_SECONDS)
        drains = [c.drain(max(deadline - clock(), 0.1)) for c in started]
        await _all("drain", drains, deadline - clock() + CLOSE_SECONDS)
        await self._tasks.finish("parked", deadline - clock())
        for name in ("pauses", "housekeeping"):
            await self._tasks.finish(name, min(deadline - clock(), CLOSE_SECONDS))
        await _all("leave", [c.close() for c in started], CLOSE_SECONDS)
        # After the handlers, so that what they published last is on its way too.
        self._stop_relay.set()
        await self._tasks.finish("relay", max(deadline - clock(), CLOSE_SECONDS))
        await self._tasks.finish("wakeup", CLOSE_SECONDS)
        await _all("transport", [self.transport.close()], CLOSE_SECONDS)
        await _all("database", [self.database.close()], CLOSE_SECONDS)
        self._state = "stopped"
        log.info("service.stopped")


async def _answers(probe: Coroutine[Any, Any, bool]) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await probe
    except Exception:  # noqa: BLE001  - whatever it is, it is no answer
        return False


async def _all(step: str, work: Sequence[Coroutine[Any, Any, Any]], seconds: float) -> None:
    """Do one step of the shutdown. Whatever becomes of it, the next one follows."""
    tasks = [asyncio.create_task(w, name=step) for w in work]
    if not tasks:
        return
    done, late = await asyncio.wait(tasks, timeout=max(seconds, 0.1))
    for task in late:
        task.cancel()
    if late:
        log.warning("service.step_cut", step=step, seconds=round(seconds, 1))
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("service.step_failed", step=step, exc_info=error)
