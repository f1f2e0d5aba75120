"""From an event in a service's hands to a row for the outbox."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import codec, spans
from .database import OutboxRow
from .envelope import Envelope, event_id, moment, said_by, to_message, uuid7
from .errors import NotPublishable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from .service import Publication, Service

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_PARAMETER_VALUE = re.compile(r"[A-Za-z0-9_-]+")  # no separator or wildcard of any broker
_MISSING = object()


class Publisher:
    """Turns events into outbox rows: checks, encodes once, addresses. Does no I/O."""

    def __init__(self, service: Service) -> None:
        """What `service` publishes can be published, nothing else."""
        self.service = service
        self._publications: dict[type[BaseModel], list[Publication]] = defaultdict(list)
        for publication in service.publications:
            self._publications[publication.event.model].append(publication)

    def row(  # noqa: PLR0913  - all but the event are optional
        self,
        event: BaseModel,
        *,
        key: str | None = None,
        parameters: Mapping[str, str] | None = None,
        cause: Envelope | None = None,
        correlation_id: str | None = None,
        channel: str | None = None,
    ) -> OutboxRow:
        """The row of an event. Raises NotPublishable with what to do about it.

        `key` replaces the partition key the payload holds; `parameters` fill the channel's address
        where the payload does not; `cause` is the event whose handler publishes this one;
        `channel` is needed for an event that is published on more than one.
        """
        publication = self._publication(event, channel)
        type_ = publication.event
        try:
            body = codec.encode(type_, event)
        except ValueError as error:
            raise NotPublishable(str(error)) from error
        needs_payload = (key is None and type_.key) or publication.channel.parameters
        payload = codec.payload(type_, body) if needs_payload else None
        if key is None:
            key = _key(publication, payload)
        destination = _destination(publication, payload, parameters or {})
        said = said_by(type_, body)
        source = said.get("source") or self.service.name
        id_ = event_id(said["id"], source, "") if "id" in said else uuid7()
        given = said.get("correlation_id") or correlation_id
        envelope = Envelope(
            id=id_,
            type=type_.type,
            source=source,
            time=moment(said.get("time")) or datetime.now(UTC),
            version=type_.version,
            key=key or None,
            correlation_id=given or _correlation(cause) or str(id_),
            causation_id=None if cause is None else str(cause.id),
            payload=body,
        )
        traced = spans.created(self.service.broker, publication.channel, envelope, cause)
        headers, body = to_message(type_, envelope, said)
        headers = {**traced, **headers}
        return OutboxRow(id_, type_.type, destination, envelope.key, headers, body)

    def _publication(self, event: BaseModel, channel: str | None) -> Publication:
        known = self._publications.get(type(event), [])
        name = type(event).__name__
        if not known:
            raise NotPublishable(f"{self.service.name} publishes no {name}")
        chosen = [p for p in known if channel is None or p.channel.name == channel]
        names = ", ".join(sorted(p.channel.name for p in known))
        if not chosen:
            raise NotPublishable(f"{name} is published on {names}, not on {channel}")
        if len(chosen) > 1:
            raise NotPublishable(f"{name} is published on {names}: choose one with channel=")
        return chosen[0]


def _correlation(cause: Envelope | None) -> str | None:
    """The chain's id; an event that came without one is where the chain begins."""
    return None if cause is None else cause.correlation_id or str(cause.id)


def _key(publication: Publication, payload: Any) -> str | None:
    """The partition key in the payload; None when the event has none and so belongs to no order."""
    path = publication.event.key
    value = _at(payload, path) if path else None
    if value is _MISSING or value is None:
        return None
    if isinstance(value, dict | list):
        raise NotPublishable(
            f"{publication.event.type}: its key {'.'.join(path)} is no single value; give key="
        )
    return value if isinstance(value, str) else json.dumps(value)


def _destination(publication: Publication, payload: Any, given: Mapping[str, str]) -> str:
    channel = publication.channel
    needed = set(_PARAMETER.findall(channel.destination))
    if unknown := sorted(set(given) - needed):
        raise NotPublishable(
            f"{publication.event.type}: the channel {channel.name} has no parameter {unknown[0]}"
        )

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        value = given.get(name) or _text_at(payload, channel.parameters.get(name, ()))
        if value is None:
            raise NotPublishable(
                f"{publication.event.type}: the channel {channel.name} needs the parameter {name};"
                f' publish it with parameters={{"{name}": ...}}'
            )
        if not _PARAMETER_VALUE.fullmatch(value):
            raise NotPublishable(
                f"{publication.event.type}: {value!r} cannot stand for {name} in"
                f" {channel.destination}: only letters, digits, - and _ can"
            )
        return value

    return _PARAMETER.sub(fill, channel.destination)


def _text_at(payload: Any, path: Sequence[str]) -> str | None:
    value = _at(payload, path) if path else None
    if value is _MISSING or value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _at(payload: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(payload, dict) or name not in payload:
            return _MISSING
        payload = payload[name]
    return payload
