"""Two versions of one event: its payload, its headers, and what else travels with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eventgen.compat import foreign
from eventgen.compat.bindings import compare_bindings
from eventgen.compat.change import BOTH, Break, Change, Party, breaking
from eventgen.compat.payload import Side, judge
from eventgen.compat.places import place
from eventgen.compat.policy import PREFIX, document_of
from eventgen.compat.structure import same
from eventgen.compat.words import About, explain, remedy
from eventgen.model import Part

if TYPE_CHECKING:
    from eventgen.compat.walk import Spot
    from eventgen.diagnostics import Span
    from eventgen.model import Correlation, Message, Service

_HEADERS = "headers of "  # with an event's name, names the schema of its headers


class Schemas:
    """The schemas of one version of a service, by name; those of headers are among them."""

    def __init__(self, service: Service) -> None:
        self.definitions: dict[str, Any] = {one.name: one.document for one in service.schemas}
        self._spans = {one.name: one.span for one in service.schemas}
        for message in service.messages:
            headers = {"type": "object"} if message.headers is None else message.headers
            self.definitions[_HEADERS + message.name.snake] = headers
            self._spans[_HEADERS + message.name.snake] = message.places.at("headers")

    def side(self, name: str) -> Side:
        """One of them, with those that it refers to."""
        return Side(name, document_of({"$ref": PREFIX + name}, self.definitions)["$defs"])

    def place(self, spot: Spot) -> Span:
        """Where a part of one of them stands."""
        return place(self._spans[spot.unit], spot.way)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both versions of an event."""

    old: Message
    new: Message
    before: Schemas
    after: Schemas

    @property
    def subject(self) -> str:
        """What the event is called in a sentence."""
        return f"`{self.new.type.value}`"

    def changes(self) -> Iterator[Change]:
        """Everything that differs."""
        yield from self._payload()
        headers = (_HEADERS + self.old.name.snake, _HEADERS + self.new.name.snake)
        yield from self._schema(*headers, f"the headers of {self.subject}")
        yield from self._content_type()
        yield from self._envelope()
        yield from self._key()
        yield from self._correlation()
        yield from compare_bindings(self.old, self.new, self.subject)

    def is_same_payload(self) -> bool:
        """Whether both carry the same, in the same words."""
        if self.old.foreign_payload is not None or self.new.foreign_payload is not None:
            return foreign.is_same(self.old.foreign_payload, self.new.foreign_payload)
        return self._is_same(self.old.schema, self.new.schema)

    def _is_same(self, old: str, new: str) -> bool:
        definitions = (self.before.definitions, self.after.definitions)
        return same({"$ref": PREFIX + old}, {"$ref": PREFIX + new}, definitions)

    def _payload(self) -> Iterator[Change]:
        old, new = self.old.foreign_payload, self.new.foreign_payload
        before, after = foreign.language(old), foreign.language(new)
        if before != after:
            yield self._change(
                "payload-changed",
                f"the payload of {self.subject} is {after}, and was {before}",
                "payload",
                breaking("neither side can read what the other one writes", *BOTH),
            )
        elif old is not None and new is not None:
            yield from foreign.compare(old, new, self._about(self.subject))
        else:
            yield from self._schema(self.old.schema, self.new.schema, self.subject)

    def _schema(self, old: str, new: str, subject: str) -> Iterator[Change]:
        about = self._about(subject)
        for one in judge(self.before.side(old), self.after.side(new)):
            if one.difference is not None:
                yield explain(one.difference, one.breaks, about)
            else:
                part = "payload" if subject == self.subject else "headers"
                text = f"{subject} is described in other words"
                yield self._change("payload-changed", text, part, one.breaks)

    def _about(self, subject: str) -> About:
        return About(
            subject,
            self.new.type.value,
            self.old.version.value,
            self.before.place,
            self.after.place,
        )

    def _content_type(self) -> Iterator[Change]:
        old, new = self.old.content_type.value, self.new.content_type.value
        if old != new:
            yield self._change(
                "content-type-changed",
                f"the content type of {self.subject} is `{new}`, and was `{old}`",
                "contentType",
                breaking("neither side can read what the other one writes", *BOTH),
                (old, new),
            )

    def _envelope(self) -> Iterator[Change]:
        old, new = (one.envelope.wrapping.value for one in (self.old, self.new))
        if old != new:
            yield self._change(
                "envelope-changed",
                f"the envelope of {self.subject} is `{new}`, and was `{old}`",
                "x-eventgen/envelope",
                breaking("the other side does not find the event in it", *BOTH),
                (old, new),
            )

    def _key(self) -> Iterator[Change]:
        """Order is kept for events of one key: it is lost when the key is another."""
        old, new = (".".join(one.key) for one in (self.old, self.new))
        if old == new:
            return
        verb = f"is `{new}`, and was `{old}`" if old and new else "is gone" if old else "is new"
        breaks = breaking(f"events of one `{old}` may overtake each other", Party.CONSUMERS)
        yield self._change(
            "key-changed",
            f"the key of {self.subject} {verb}",
            "x-eventgen/key",
            breaks if old else {},
            (old, new),
        )

    def _correlation(self) -> Iterator[Change]:
        old, new = (_located(one.correlation) for one in (self.old, self.new))
        if old == new:
            return
        verb = (
            f"is at `{new}`, and was at `{old}`" if old and new else "is gone" if old else "is new"
        )
        breaks = breaking("the other side looks for it where it was", *BOTH)
        yield self._change(
            "correlation-changed",
            f"the correlation id of {self.subject} {verb}",
            "correlationId/location",
            breaks if old else {},
            (old, new),
        )

    def _change(
        self,
        name: str,
        text: str,
        part: str,
        breaks: Mapping[Party, Break],
        values: tuple[Any, Any] = (None, None),
    ) -> Change:
        way = part.split("/")
        event, version = self.new.type.value, self.old.version.value
        return Change(
            name,
            text,
            self.old.places.at(*way),
            self.new.places.at(*way),
            breaks,
            help=remedy(name, event, version) if breaks else None,
            event=event,
            details={"before": values[0], "after": values[1]},
        )


def _located(found: Correlation | None) -> str:
    """The runtime expression of a correlation id; empty when there is none."""
    if found is None or found.location is None:
        return ""
    part = "header" if found.location.part is Part.HEADERS else "payload"
    return "/".join((f"$message.{part}#", *found.location.path))
