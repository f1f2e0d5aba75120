"""Rows that the handlers of a batch left to their session, written together.

A handler that ends with `ctx.db.add(...)` costs a statement to write that one row; those of a batch
are one statement. Nobody can tell: the rows are written before any other statement and before any
savepoint of the same transaction, and an error of theirs fails the batch, whose events are then
handled one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import event
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection


class _Left(NamedTuple):
    """An object, and what its attributes were when its handler had ended."""

    row: object
    values: dict[str, Any]


class LeftRows:
    """The rows that wait, in the order of their handlers. All of it runs in a greenlet."""

    def __init__(self, tx: AsyncConnection) -> None:
        """`tx` is the transaction that the handlers share."""
        assert tx.sync_connection is not None
        self._connection = tx.sync_connection
        self._waiting: list[_Left] = []
        self._classes: set[type] = set()
        self._watched = False

    def take(self, session: Session) -> bool:
        """Take over what is new in a session, if that is all its handler did; whether it was.

        The session still has it, and is to forget it. Rows of several classes do not wait for each
        other: which must be written first is not known here.
        """
        if session.identity_map or session.info or session.in_nested_transaction():
            return False
        rows = list(session.new)
        classes = {type(row) for row in rows}
        if self._waiting and classes != self._classes:
            return False
        self._classes = classes
        self._waiting += [_Left(row, vars(row).copy()) for row in rows]
        self._watch()
        return True

    def write(self) -> None:
        """Write them. Raises what that raises, and RuntimeError if one is not as it was left."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        if any(_is_changed(left) for left in waiting):
            raise RuntimeError("a handler has changed an object that another one had added")
        session = Session(
            self._connection, join_transaction_mode="rollback_only", expire_on_commit=False
        )
        with session:
            session.add_all(left.row for left in waiting)
            session.flush()

    def _watch(self) -> None:
        """From now on, no statement comes before the rows, not even that of a savepoint."""
        if not self._watched:
            self._watched = True
            event.listen(self._connection, "before_cursor_execute", self._before)

    def _before(self, *_: object) -> None:
        self.write()


class HandlerSession(Session):
    """The session of a batch's handlers, beneath their `AsyncSession`."""

    def __init__(self, *arguments: Any, left: LeftRows | None, **named: Any) -> None:
        """`left` is what their predecessors left."""
        super().__init__(*arguments, **named)
        self._left = left

    def connection(self, *arguments: Any, **named: Any) -> Connection:
        """Whoever has the connection may have the driver's, which tells nobody what it does."""
        if self._left is not None:
            self._left.write()
        return super().connection(*arguments, **named)


def _is_changed(left: _Left) -> bool:
    now = vars(left.row)
    return now.keys() != left.values.keys() or any(
        now[name] is not value for name, value in left.values.items()
    )
