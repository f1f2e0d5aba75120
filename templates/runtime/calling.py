"""Calling a handler: the session and the transaction it works in, and the time it may take."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from . import spans
from .errors import HandlerTimeout
from .left_rows import HandlerSession, LeftRows

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from contextvars import Context as ContextVars
    from types import TracebackType

    from .context import Context
    from .service import Route


class Scope:
    """A transaction for handlers, one after the other, and the session they are given.

    They share the session because a new one for each would cost more than what most handlers do
    with it. Nothing that one of them loaded is left in it for the next.
    """

    def __init__(self, tx: AsyncConnection, *, together: bool = False) -> None:
        """`tx` is an open transaction, or one with an open savepoint.

        With `together`, what handlers leave to the session is written in one go by `write`.
        """
        self._left = LeftRows(tx) if together else None
        self.session = AsyncSession(
            bind=tx,
            join_transaction_mode="rollback_only",
            expire_on_commit=False,
            sync_session_class=HandlerSession,
            left=self._left,
        )
        self.traced = spans.collected()  # asked once: it costs more than it seems to
        self._transaction = tx.get_nested_transaction() or tx.get_transaction()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Its connection is not its own, so closing is no I/O, unless a savepoint is open.
        if self.session.in_nested_transaction():
            await self.session.close()
        else:
            self.session.sync_session.close()

    async def write(self) -> None:
        """Write what handlers have left to the session."""
        if (left := self._left) is not None:
            await self.session.run_sync(lambda _: left.write())

    async def call(self, route: Route, event: Any, context: Context[Any]) -> None:
        """The handler, and what it has left to the session to write."""
        session, before = self.session, copy_context()
        await route.handler(event, context)
        used = bool(session.identity_map or session.new)
        if used and not self._can_wait(before):
            await session.flush()
        if self._transaction is None or not self._transaction.is_active:
            # Going on would store the claim without the effect, or the other way round.
            raise RuntimeError(
                "the handler ended the transaction it shares with its inbox entry: use "
                "`async with ctx.db.begin_nested()` for work that may fail, not ctx.db.rollback()"
            )
        if session.in_nested_transaction():
            await session.close()
        elif used:
            session.expunge_all()
        session.info.clear()

    def _can_wait(self, before: ContextVars) -> bool:
        """Whether what the session has is written later, with that of other handlers.

        A column's default may be a function that asks for a context variable of this handler's.
        """
        if self._left is None or before != copy_context():
            return False
        return self._left.take(self.session.sync_session)


async def within(seconds: float, work: Awaitable[None]) -> None:
    """Await handlers' work, cancelled and failed when it takes longer."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await _uncancelled(work)
    except TimeoutError as error:
        if not limit.expired():
            raise  # the handler's own
        raise HandlerTimeout(f"the handler took longer than {seconds:g} s") from error


async def _uncancelled(work: Awaitable[None]) -> None:
    """Await a handler; a cancellation that it caused itself is its error, not the lane's end."""
    try:
        await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise RuntimeError("something the handler waited for was cancelled") from error
