"""What a handler is given besides its event."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncSession
    from structlog.typing import FilteringBoundLogger

    from .database import OutboxRow
    from .envelope import Envelope
    from .outbox import Publisher

# What may be published: a union of models. Contravariant: a handler that publishes less than it may
# is as good.
P_contra = TypeVar("P_contra", bound=BaseModel, contravariant=True)


class Context(Generic[P_contra]):
    """The transaction, the envelope and the outgoing events of one event being handled.

    What the handler does through `db` and `publish` is committed together with the note that the
    event was handled, or not at all.
    """

    def __init__(
        self,
        db: AsyncSession,
        event: Envelope,
        publisher: Publisher,
    ) -> None:
        """`db` is bound to the connection whose transaction also holds the inbox entry."""
        self.db = db
        self.event = event
        self.outgoing: list[OutboxRow] = []
        self._publisher = publisher

    @cached_property
    def logger(self) -> FilteringBoundLogger:
        """A logger whose entries say which event this is."""
        bound: FilteringBoundLogger = structlog.get_logger("eventgen.handler").bind(
            event_id=str(self.event.id),
            event_type=self.event.type,
            correlation_id=self.event.correlation_id,
            causation_id=self.event.causation_id,
        )
        return bound

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt at this event: give it to whatever you call besides `db`."""
        return f"{self._publisher.service.name}:{self.event.id}"

    def publish(
        self,
        event: P_contra,
        *,
        key: str | None = None,
        parameters: Mapping[str, str] | None = None,
        channel: str | None = None,
    ) -> UUID:
        """Publish an event when, and only when, the handler's transaction commits; its id.

        `key` replaces the partition key from the payload, `parameters` fill the channel's address,
        `channel` chooses among several. Raises NotPublishable.
        """
        row = self._publisher.row(
            event, key=key, parameters=parameters, cause=self.event, channel=channel
        )
        self.outgoing.append(row)
        return row.event_id
