"""What a handler may raise to say how its event should go on."""

from __future__ import annotations

from datetime import timedelta


class Retry(Exception):  # noqa: N818  - an instruction, not an error
    """Try this event again later. Nothing the handler wrote is kept."""

    def __init__(
        self, after: timedelta | float, reason: str = "the handler asked for a retry"
    ) -> None:
        super().__init__(reason)
        self.after = after.total_seconds() if isinstance(after, timedelta) else float(after)


class DeadLetter(Exception):  # noqa: N818
    """Give this event up now: it is kept as a dead letter with this reason, and never retried."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Skip(Exception):  # noqa: N818
    """This event needs no effect: forget what the handler wrote and count the event as handled."""


class HandlerTimeout(TimeoutError):  # noqa: N818
    """The handler took longer than its subscription allows, and was cancelled."""


class NotPublishable(Exception):  # noqa: N818
    """The event given to `publish` is not one this service publishes, or breaks its own schema."""


class ConfigurationError(Exception):
    """The service cannot start as it is configured. The message says what to set."""
