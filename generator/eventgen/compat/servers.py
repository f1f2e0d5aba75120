"""Two versions of the servers: where they are is configuration, so that nothing of it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eventgen.compat.change import Change

if TYPE_CHECKING:
    from eventgen.model import Server, Service

_HELP = "tell those who connect to it"


def compare(old: Service, new: Service) -> Iterator[Change]:
    """Servers that are gone or changed, as warnings; those that are new."""
    before = {one.name.raw.value: one for one in old.servers}
    after = {one.name.raw.value: one for one in new.servers}
    for name, server in before.items():
        if name not in after:
            text = f"there is no server `{name}` any more"
            yield Change("server-changed", text, server.places.span, None, warns=True, help=_HELP)
        else:
            yield from _server(name, server, after[name])
    for name in after.keys() - before.keys():
        text = f"the server `{name}` is new"
        yield Change("something-added", text, None, after[name].places.span)


def _server(name: str, old: Server, new: Server) -> Iterator[Change]:
    for field, was, now in (
        ("host", old.host.value, new.host.value),
        ("pathname", old.pathname.value, new.pathname.value),
        ("protocol", old.protocol.value, new.protocol.value),
        ("security", _security(old), _security(new)),
    ):
        if was != now:
            yield Change(
                "server-changed",
                f"the {field} of the server `{name}` is `{now}`, and was `{was}`",
                old.places.at(field),
                new.places.at(field),
                warns=True,
                help=_HELP,
                details={"path": field, "before": was, "after": now},
            )


def _security(server: Server) -> str:
    ways = [" and ".join(one.scheme.type.value for one in way) for way in server.security]
    return " or ".join(ways) or "none"
