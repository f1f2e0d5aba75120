"""What sets NATS up for a service: its streams, and the permissions of its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .nats_names import stream_of, subjects

if TYPE_CHECKING:
    from .nats_streams import Shape
    from .service import Service

_CONSUMER = ("CREATE", "MSG.NEXT", "DELETE")


def configuration(service: Service, user: str, shape: Shape) -> dict[str, Any]:
    """JSON, which NATS's configuration takes as it is.

    `streams` are such as `nats stream add --config` reads, one a file; `users` goes into the
    server's `authorization`, and its user still needs a password or a key.
    """
    published = {publication.channel.destination for publication in service.publications}
    consumed = {stream_of(subscription.channel) for subscription in service.subscriptions}
    known = {stream_of(channel) for channel in service.channels}
    publish = [
        *(f"{subjects(destination)[-1]}.*" for destination in sorted(published)),
        "$JS.API.INFO",
        *(f"$JS.API.STREAM.INFO.{name}" for name in sorted(known)),
        *(f"$JS.API.CONSUMER.{what}.{name}.>" for name in sorted(consumed) for what in _CONSUMER),
    ]
    subscribe = [f"_INBOX_{service.name}.>"]
    permissions = {"publish": {"allow": publish}, "subscribe": {"allow": subscribe}}
    return {
        "streams": [shape.config(channel).as_dict() for channel in service.channels],
        "users": [{"user": user, "permissions": permissions}],
    }
