"""A connection to NATS that ends when it is lost. Whoever needs one makes a new one.

The client could reconnect by itself. It would then send what it had kept in memory, long after
that was given up and perhaps published by somebody else, and read on without a word of what was
lost in between.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from nats.aio.client import Client
from nats.errors import Error, SecureConnWantedError

if TYPE_CHECKING:
    from nats.js import JetStreamContext

# What the client raises when the server, or the connection to it, is not there.
AWAY = (Error, OSError, TimeoutError)

# Each server is tried twice before the connection is there, and not again once it was.
_ONCE: Mapping[str, Any] = {
    "allow_reconnect": False,
    "max_reconnect_attempts": 1,
    "reconnect_time_wait": 0.05,
}
_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_QUESTION_SECONDS = 5.0
_PERMISSION = "permissions violation"
_DENIED = re.compile(_PERMISSION + r" for publish to \"([^\"]+)\"", re.IGNORECASE)

_log = structlog.get_logger("eventgen.nats")


class _Client(Client):
    """The client, which by itself says who it is in the clear when a server asks for no TLS."""

    def __init__(self, *, secure: bool) -> None:
        super().__init__()
        self._secure = secure

    @property
    def wants_certificate(self) -> bool:
        """Whether the server has asked for one of this client."""
        return bool(self._server_info.get("tls_verify"))

    def _connect_command(self) -> bytes:
        if self._secure and not self._server_info.get("tls_required"):
            raise SecureConnWantedError
        return super()._connect_command()


class Link:
    """One connection. `denied` are the subjects that the server lets it not publish to."""

    def __init__(self, *, secure: bool) -> None:
        self.client = _Client(secure=secure)
        self.lost = asyncio.Event()
        self.denied: set[str] = set()
        self._error: Exception | None = None

    @classmethod
    async def open(cls, options: Mapping[str, Any], *, secure: bool) -> Link:
        """Connect, with TLS or not at all when it is to be `secure`.

        Raises what AWAY has; the reason of the last server tried, when there is one.
        """
        link = cls(secure=secure)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await link.client.connect(
                    **options, **_ONCE, error_cb=link._note, closed_cb=link._end
                )
        except BaseException as error:
            await link.close()
            reason = link._error if isinstance(error, Error) else None
            if isinstance(reason or error, ConnectionError) and link.client.wants_certificate:
                # What the server says of it does not get through to here.
                raise ssl.SSLError(
                    1, "an alert of the server, which wants a certificate"
                ) from error
            if reason is not None:
                raise reason from error
            raise
        return link

    @property
    def streams(self) -> JetStreamContext:
        """JetStream's interface."""
        return self.client.jetstream(timeout=_QUESTION_SECONDS)

    async def close(self) -> None:
        """Disconnect, whatever state it is in."""
        self.lost.set()
        with suppress(*AWAY):
            await asyncio.wait_for(self.client.close(), _CLOSE_SECONDS)

    async def _note(self, error: Exception) -> None:
        self._error = error
        if _PERMISSION in str(error).lower():
            _log.error("nats.denied", error=str(error))
        if found := _DENIED.search(str(error)):
            self.denied.add(found[1])

    async def _end(self) -> None:
        self.lost.set()
