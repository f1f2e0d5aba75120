"""The variables in the address of a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.model import Server

_VARIABLE = re.compile(r"\{([^{}]+)\}")


def used(server: Server) -> dict[str, Span]:
    """Each variable of a server's host and pathname, and where it stands."""
    found: dict[str, Span] = {}
    for text, key in ((server.host, "host"), (server.pathname, "pathname")):
        for name in _VARIABLE.findall(text.value):
            found.setdefault(name, part(server, key))
    return found


def part(server: Server, key: str) -> Span:
    """Where the host or the pathname of a server stands: some write both as one `url`."""
    return server.places.at(key if (key,) in server.places.parts else "url")
