"""Decides what each event's attributes travel in.

A quarter of real documents describe payloads that are envelopes already, with an id, a type and
the data. Such an event is not put into another envelope: that would be wrapping it twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eventgen.diagnostics import Diagnostic, Label, Severity, Span
from eventgen.model import Envelope, Text, Wrapping
from eventgen.model.config import EventConfig
from eventgen.model.properties import Found, find, properties
from eventgen.spec.nearest import did_you_mean

if TYPE_CHECKING:
    from eventgen.spec.bundle import Bundled
    from eventgen.spec.drafts import DraftMessage
    from eventgen.spec.shape import Reading

Paths = Mapping[str, tuple[str, ...]]

SEEN = "its payload is an envelope"
_SHOWN = 4  # events in a message
_CLOUDEVENTS = frozenset(("specversion", "id", "source", "type"))
# How authors call what is in an envelope, in lower case without marks. A name of the first group
# says what it is wherever it stands; one of the second may be a thing of the business as well.
_CLEAR = {
    "id": ("eventid", "messageid", "eventuuid"),
    "type": ("eventtype", "eventname", "messagetype"),
}
_VAGUE = {"id": ("id", "uuid"), "type": ("type", "event")}
_OTHERS = {
    "time": (
        "eventtime", "eventtimestamp", "timestamp", "time", "occurredat", "occurredon",
        "emittedat", "publishedat", "sentat",
    ),
    "source": ("source", "eventsource"),
    "correlation_id": ("correlationid",),
    "causation_id": ("causationid",),
}  # fmt: skip
_HOLDERS = ("metadata", "meta", "eventmetadata", "header", "headers", "eventheader", "envelope")
_DATA = ("data", "payload", "body", "detail")
_SCALARS = ("string", "integer", "number", "boolean", "null", "array")
_MARK = re.compile(r"[^a-z0-9]")
_OTHER_FORMAT = re.compile(r"avro|protobuf|xml|octet-stream", re.IGNORECASE)


def decide(
    reading: Reading, messages: Sequence[DraftMessage], bundled: Bundled
) -> dict[int, Envelope]:
    """The envelope of each message, by its id; what was decided without being asked is told.

    `eventgen.yaml` wins over the document, and what either says of one event over what
    `eventgen.yaml` says of all.
    """
    _check_configured(reading, messages)
    schemas = {schema.name: schema.document for schema in bundled.schemas}
    roots = {id(one): schemas[bundled.payloads[id(one)]] for one in messages}
    seen = {id(one): detected(roots[id(one)], schemas) for one in messages if _is_json(one)}
    found = {id(one): _chosen(reading, one, seen.get(id(one))) for one in messages}
    for one in messages:
        _check_format(reading, one, found[id(one)])
    _tell(reading, [one for one in messages if found[id(one)].origin == SEEN])
    held = _held(reading, messages, found, lambda one, path: find(roots[id(one)], path, schemas))
    texts = {
        id(one): _constant(roots[id(one)], schemas, held[id(one)].paths.get("type", ()))
        for one in messages
    }
    return _typed(messages, held, texts)


def detected(root: Any, schemas: Mapping[str, Any]) -> Paths | None:
    """The attributes that a payload carries, when it is an envelope."""
    names = properties(root, schemas)
    if names.keys() >= _CLOUDEVENTS:
        known = {"id": "id", "type": "type", **_others(names)}
        return {name: (path,) for name, path in known.items()}
    has_data = any(_fold(name) in _DATA and _is_object(parts) for name, parts in names.items())
    own = _attributes(names, is_apart=has_data)
    if own is not None:
        return {name: (path,) for name, path in own.items()}
    for holder, parts in names.items():
        if _fold(holder) in _HOLDERS and _is_object(parts):
            inner: dict[str, list[Any]] = {}
            for part in parts:
                inner |= properties(part, schemas)
            held = _attributes(inner, is_apart=True)
            if held is not None:
                return {name: (holder, path) for name, path in held.items()}
    return None


def _attributes(names: Mapping[str, list[Any]], *, is_apart: bool) -> dict[str, str] | None:
    """The attributes among properties, by name, if there are enough of them for an envelope.

    Vague names are enough where the data has a place of its own.
    """
    others = _others(names)
    clear = {name: _named(names, wanted) for name, wanted in _CLEAR.items()}
    vague = {name: _named(names, wanted) for name, wanted in _VAGUE.items()}
    id_, type_ = clear["id"] or vague["id"], clear["type"] or vague["type"]
    is_clear = clear["id"] and clear["type"]
    if not (id_ and type_ and "time" in others and (is_apart or is_clear)):
        return None
    return {"id": id_, "type": type_, **others}


def _others(names: Mapping[str, list[Any]]) -> dict[str, str]:
    found = {name: _named(names, wanted) for name, wanted in _OTHERS.items()}
    return {name: path for name, path in found.items() if path}


def _named(names: Mapping[str, list[Any]], wanted: Sequence[str]) -> str | None:
    """The property that is called the first of these that there is, and is a single value."""
    folded = {
        _fold(name): name
        for name, parts in names.items()
        if not any(part.get("type") in ("object", "array") for part in parts)
    }
    return next((folded[name] for name in wanted if name in folded), None)


def _is_object(parts: Sequence[Any]) -> bool:
    return not any(part.get("type") in _SCALARS for part in parts)


def _fold(name: str) -> str:
    return _MARK.sub("", name.lower())


def _names(message: DraftMessage) -> tuple[str, ...]:
    """What eventgen.yaml may call an event."""
    return (message.body.type.value, message.body.id.value)


def _chosen(reading: Reading, message: DraftMessage, seen: Paths | None) -> Envelope:
    config = reading.config
    configured = (config.events.get(name, EventConfig()).envelope for name in _names(message))
    said = next((one for one in configured if one is not None), None)
    if said is None and message.body.envelope.origin:
        said = message.body.envelope
    if said is None and seen is not None and not (config.envelope and config.envelope.paths):
        is_known = config.envelope is not None and config.envelope.wrapping is Wrapping.NONE
        origin = config.envelope.origin if is_known and config.envelope is not None else SEEN
        return Envelope(Wrapping.NONE, seen, origin=origin)
    said = said or config.envelope or Envelope()
    is_bare = said.wrapping is Wrapping.NONE and not said.paths
    return replace(said, paths=seen) if is_bare and seen else said


def _held(
    reading: Reading,
    messages: Sequence[DraftMessage],
    found: Mapping[int, Envelope],
    look: Callable[[DraftMessage, tuple[str, ...]], Found],
) -> dict[int, Envelope]:
    """The envelopes without the properties that their payloads have not.

    What was said of several events need not be true of each, but of one.
    """
    missing: dict[tuple[int, str], Found] = {}
    known: set[tuple[int, str]] = set()
    result = {}
    for one in messages:
        envelope = found[id(one)]
        kept = {}
        for name, path in envelope.paths.items():
            there = look(one, path)
            if there.missing is None:
                kept[name] = path
                known.add((id(envelope.origin), name))
            else:
                missing.setdefault((id(envelope.origin), name), there)
        result[id(one)] = replace(envelope, paths=kept)
    origins = {id(envelope.origin): envelope for envelope in found.values()}
    for (origin, name), there in missing.items():
        if (origin, name) not in known:
            _leads_nowhere(reading, origins[origin], name, there)
    return result


def _leads_nowhere(reading: Reading, envelope: Envelope, name: str, there: Found) -> None:
    if isinstance(envelope.origin, Span):
        reading.error(
            "envelope-leads-nowhere",
            f"the {name.replace('_', ' ')} is at `{'.'.join(envelope.paths[name])}`,"
            f" and the payload has no `{there.missing}`",
            envelope.origin,
            help=did_you_mean(there.missing or "", there.known)
            or f"it has: {', '.join(there.known)}",
        )


def _typed(
    messages: Sequence[DraftMessage],
    found: Mapping[int, Envelope],
    texts: Mapping[int, str | None],
) -> dict[int, Envelope]:
    """The envelopes with the types that the payloads say.

    A type that was not told by anybody is believed only where the schema has one value for it, and
    no other event has that value too: else it does not tell which event it is.
    """
    known = Counter((texts[id(one)], one.body.version.value) for one in messages)
    decided = {}
    for one in messages:
        envelope, text = found[id(one)], texts[id(one)]
        if text is not None and known[text, one.body.version.value] == 1:
            envelope = replace(envelope, type=Text(text))
        elif envelope.origin == SEEN or text is not None:
            paths = {name: path for name, path in envelope.paths.items() if name != "type"}
            envelope = replace(envelope, paths=paths)
        decided[id(one)] = envelope
    return decided


def _constant(root: Any, schemas: Mapping[str, Any], path: tuple[str, ...]) -> str | None:
    """The one text that the property at the end of a path may be, if there is one."""
    if not path:
        return None
    values = [
        value
        for part in find(root, path, schemas).schemas
        for value in ([part["const"]] if "const" in part else part.get("enum", ()))
    ]
    is_one = len(values) == 1 and isinstance(values[0], str) and values[0]
    return values[0] if is_one else None


def _tell(reading: Reading, messages: Sequence[DraftMessage]) -> None:
    if not messages:
        return
    first, *others = messages
    notes = [f"`{one.body.type.value}`, too" for one in others[:_SHOWN]]
    if len(others) > _SHOWN:
        notes.append(f"and {len(others) - _SHOWN} more")
    reading.warn(
        "envelope-assumed",
        f"the payload of `{first.body.type.value}` is an envelope already,"
        " and is not put into another",
        first.span,
        notes=tuple(notes),
        help="confirm it in eventgen.yaml: `envelope: none`",
    )


def _is_json(message: DraftMessage) -> bool:
    body = message.body
    said = f"{body.content_type.value} {body.schema_format.value}"
    return body.foreign_payload is None and not _OTHER_FORMAT.search(said)


def _check_format(reading: Reading, message: DraftMessage, envelope: Envelope) -> None:
    needs = envelope.wrapping is Wrapping.PLAIN or bool(envelope.paths)
    if needs and not _is_json(message):
        body = message.body
        reading.error(
            "envelope-needs-json",
            f"`{body.type.value}` is not JSON, and its envelope has to be",
            message.span,
            help=f"give it headers: `events: {{{body.type.value}: {{envelope: cloudevents}}}}`"
            " in eventgen.yaml",
        )


def _check_configured(reading: Reading, messages: Sequence[DraftMessage]) -> None:
    known = {name for one in messages for name in (*_names(one), one.body.family)} - {""}
    for name in sorted(set(reading.config.events) - known):
        place = messages[0].span if messages else None
        reading.findings.append(
            Diagnostic(
                "unknown-event",
                Severity.ERROR,
                f"eventgen.yaml configures the event `{name}`, which the specification has not",
                None if place is None else Label(_first(place)),
                help=did_you_mean(name, known),
            )
        )


def _first(span: Span) -> Span:
    return Span(span.source, span.line, span.column, span.line, span.column + 1)
