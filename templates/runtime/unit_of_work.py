"""Publishing from outside a handler: a request, a job, a command."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from logging import DEBUG
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import structlog
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from . import logs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType
    from uuid import UUID

    from .database import Database, OutboxRow
    from .outbox import Publisher

P_contra = TypeVar("P_contra", bound=BaseModel, contravariant=True)

_log = structlog.get_logger("eventgen.outbox")


class UnitOfWork(Generic[P_contra]):
    """One transaction, and the events that are published if it commits.

    ```python
    async with app.unit_of_work() as uow:
        uow.db.add(order)
        uow.publish(OrderPlaced(...))
    ```
    """

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        wake: Callable[[], None],
        *,
        correlation_id: str | None = None,
    ) -> None:
        """`wake` tells the relay of new events; `correlation_id` ties them to a request."""
        self._database = database
        self._publisher = publisher
        self._wake = wake
        self._correlation_id = correlation_id
        self._outgoing: list[OutboxRow] = []
        self._session: AsyncSession | None = None
        self._scope: AbstractAsyncContextManager[None] | None = None

    @property
    def db(self) -> AsyncSession:
        """The session of the open transaction."""
        if self._session is None:
            raise RuntimeError("a unit of work is used inside `async with`")
        return self._session

    def publish(
        self,
        event: P_contra,
        *,
        key: str | None = None,
        parameters: Mapping[str, str] | None = None,
        channel: str | None = None,
    ) -> UUID:
        """Publish an event when, and only when, this transaction commits; its id.

        `key` replaces the partition key from the payload, `parameters` fill the channel's address,
        `channel` chooses among several. Raises NotPublishable.
        """
        if self._session is None:
            raise RuntimeError("a unit of work is used inside `async with`")
        row = self._publisher.row(
            event,
            key=key,
            parameters=parameters,
            correlation_id=self._correlation_id,
            channel=channel,
        )
        self._outgoing.append(row)
        return row.event_id

    async def __aenter__(self) -> Self:
        """Begin the transaction."""
        if self._scope is not None:
            raise RuntimeError("a unit of work is used once; begin another")
        self._scope = self._transaction()
        await self._scope.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Commit, or roll back on any exception."""
        assert self._scope is not None
        return await self._scope.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self._database.transaction() as tx:
            session = AsyncSession(
                tx, join_transaction_mode="rollback_only", expire_on_commit=False
            )
            async with session:
                self._session = session
                try:
                    yield
                finally:
                    self._session = None
                await session.commit()  # flushes; the transaction is still open
            if not tx.in_transaction():
                raise RuntimeError("this unit of work was rolled back by its own session")
            if self._outgoing:
                # Last, so that the locks on the keys are held for the commit and no longer.
                await self._database.add_to_outbox(tx, self._outgoing)
        if _log.is_enabled_for(DEBUG):
            for row in self._outgoing:
                _log.debug("outbox.stored", **logs.about_row(row))
        if self._outgoing:
            self._wake()
