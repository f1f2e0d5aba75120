"""Two versions of a whole specification: channels, what goes through them, and who does what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from eventgen.compat import channels, servers
from eventgen.compat.bindings import compare_bindings
from eventgen.compat.change import BOTH, Break, Change, Party, breaking
from eventgen.compat.events import Pair, Schemas
from eventgen.model import Action

if TYPE_CHECKING:
    from eventgen.model import Channel, Message, Name, Operation, Service

_REASONS = {
    Party.CONSUMERS: "they wait for what nobody sends any more",
    Party.PRODUCERS: "they send what nobody receives any more",
}
_LOSERS = {Action.SEND: (Party.CONSUMERS,), Action.RECEIVE: (Party.PRODUCERS,)}
_DOES = {Action.SEND: "sends", Action.RECEIVE: "receives"}
_DID = {Action.SEND: "sent", Action.RECEIVE: "received"}


def compare(old: Service, new: Service) -> tuple[Change, ...]:
    """Every change."""
    pairs = _events(old, new)
    whole = _Comparison(old, new, pairs, channels.paired(old, new))
    found = [*servers.compare(old, new), *whole.channels(), *whole.operations()]
    for pair in pairs:
        found += whole.renamed(pair)
        found += pair.changes()
    return tuple(found)


def identity(message: Message) -> tuple[str, str]:
    """What an event is the same by: a new major version is another event."""
    return message.type.value, message.version.value.partition(".")[0]


def _events(old: Service, new: Service) -> tuple[Pair, ...]:
    """Both versions of every event that is still there, if need be under another name."""
    before, after = Schemas(old), Schemas(new)
    found: list[Pair] = []
    for several, others in _alike(old, new):
        found += _matched([[Pair(one, two, before, after) for two in others] for one in several])
    types = {one.type.value for one in new.messages}
    known = {one.type.value for one in old.messages}
    fresh = [one for one in new.messages if one.type.value not in known]
    for one in old.messages:
        if one.type.value not in types:
            twins = (Pair(one, other, before, after) for other in fresh)
            twin = next((pair for pair in twins if pair.is_same_payload()), None)
            if twin is not None:
                found.append(twin)
                fresh.remove(twin.new)
    return tuple(found)


def _alike(old: Service, new: Service) -> Iterator[tuple[list[Message], list[Message]]]:
    """The messages of both versions that are one event: a document may describe it repeatedly."""
    groups: dict[tuple[str, str], tuple[list[Message], list[Message]]] = defaultdict(
        lambda: ([], [])
    )
    for index, service in enumerate((old, new)):
        for message in service.messages:
            groups[identity(message)][index].append(message)
    return iter(groups.values())


def _matched(pairs: list[list[Pair]]) -> Iterator[Pair]:
    """One pair of each row: the likeliest first, by key, then by payload, then as they come."""
    likely: tuple[Callable[[Pair], bool], ...] = (
        lambda pair: pair.old.id == pair.new.id and pair.old.name == pair.new.name,
        Pair.is_same_payload,
        lambda _: True,
    )
    rows, taken = list(pairs), set[int]()
    for is_likely in likely:
        for row in tuple(rows):
            free = (pair for pair in row if id(pair.new) not in taken and is_likely(pair))
            pair = next(free, None)
            if pair is not None:
                taken.add(id(pair.new))
                rows.remove(row)
                yield pair


@dataclass(frozen=True, slots=True)
class _Comparison:
    old: Service
    new: Service
    pairs: tuple[Pair, ...]
    both: tuple[tuple[Channel, Channel], ...]

    def channels(self) -> Iterator[Change]:
        """Channels and what goes through them."""
        kept = {one.name for one, _ in self.both}
        for old, new in self.both:
            yield from channels.compare(old, new)
            yield from self._carried(old, new)
        for one in self.old.channels:
            if one.name not in kept:
                yield channels.removed(one, self._losers(one, None))
        kept = {one.name for _, one in self.both}
        yield from (channels.added(one) for one in self.new.channels if one.name not in kept)

    def operations(self) -> Iterator[Change]:
        """Who sends and who receives what is still there."""
        before, after = _done(self.old), _done(self.new)
        bound: set[tuple[Name, Name]] = set()
        for (old, new), pair in product(self.both, self.pairs):
            was = before.get((old.name, pair.old.name), {})
            now = after.get((new.name, pair.new.name), {})
            if pair.new.name not in new.messages:
                continue
            stopped = [one for action, one in was.items() if action not in now]
            begun = [one for action, one in now.items() if was and action not in was]
            if stopped and begun:
                yield self._flipped(stopped[0], begun[0], pair)
                continue
            yield from (self._stopped(one, pair) for one in stopped)
            yield from (self._begun(one, pair) for one in begun)
            for action in was.keys() & now.keys():
                one, other = was[action], now[action]
                if (one.name, other.name) not in bound:
                    bound.add((one.name, other.name))
                    subject = f"the operation `{other.name.raw.value}`"
                    yield from compare_bindings(one, other, subject)

    def renamed(self, pair: Pair) -> Iterator[Change]:
        """An event that carries the same under another name.

        Where the document gives no name of its own, only the key of a message is another one, and
        that counts for nobody but services that take the key for the name.
        """
        old, new = pair.old, pair.new
        if old.type == new.type:
            return
        is_told = any(("name",) in one.places.parts for one in (old, new))
        yield Change(
            "event-renamed",
            f"the event `{old.type.value}` is called `{new.type.value}`",
            old.span,
            new.span,
            breaking("events are told apart by their name", *BOTH) if is_told else {},
            warns=True,
            help=f"keep the name: write `name: {old.type.value}` in the message",
            event=new.type.value,
            details={"before": old.type.value, "after": new.type.value},
        )

    def _carried(self, old: Channel, new: Channel) -> Iterator[Change]:
        """Events that left a channel, or came to it."""
        twins = {pair.old.name: pair.new.name for pair in self.pairs}
        stayed = {twins[one] for one in old.messages if twins.get(one) in new.messages}
        named = {one.name: one for one in self.old.messages}
        for name in old.messages:
            if twins.get(name) not in new.messages:
                yield self._gone(named[name], old, new)
        for message in self.new.messages:
            if message.name in new.messages and message.name not in stayed:
                text = f"{_called(message)} in the channel `{new.id.value}` is new"
                yield Change("something-added", text, None, message.span, event=message.type.value)

    def _gone(self, message: Message, old: Channel, new: Channel) -> Change:
        text = f"{_called(message)} is not in the channel `{new.id.value}` any more"
        known = {one.type for one in self.new.messages if one.name in new.messages}
        followed = message.type in known
        return Change(
            "message-removed",
            text,
            message.span,
            None,
            {party: Break(reason=_REASONS[party]) for party in self._losers(old, message)},
            help=f"keep version {message.version.value} beside the new one until nobody uses it"
            if followed
            else "keep it until nobody uses it",
            event=message.type.value,
        )

    def _losers(self, channel: Channel, message: Message | None) -> tuple[Party, ...]:
        """Whom it hurts when this goes: the other side of what the service does with it."""
        actions = {
            one.action
            for one in self.old.operations
            if one.channel == channel.name and (message is None or message.name in one.messages)
        }
        found = tuple(party for action in actions for party in _LOSERS[action])
        return found or BOTH

    def _flipped(self, old: Operation, new: Operation, pair: Pair) -> Change:
        return Change(
            "action-changed",
            f"the service {_DOES[new.action]} {pair.subject}, and {_DID[old.action]} it before",
            old.places.at("action"),
            new.places.at("action"),
            breaking("the other side would have to change its part as well", *BOTH),
            help=f"write `action: {old.action.value}`, or describe another operation",
            event=pair.new.type.value,
            details={"before": old.action.value, "after": new.action.value},
        )

    def _stopped(self, old: Operation, pair: Pair) -> Change:
        parties = _LOSERS[old.action]
        return Change(
            "operation-removed",
            f"the service {_DOES[old.action]} {pair.subject} no longer",
            old.span,
            None,
            breaking(_REASONS[parties[0]], *parties),
            help="keep the operation until nobody counts on it",
            event=pair.new.type.value,
        )

    def _begun(self, new: Operation, pair: Pair) -> Change:
        text = f"the service {_DOES[new.action]} {pair.subject} from now on"
        return Change("something-added", text, None, new.span, event=pair.new.type.value)


def _done(service: Service) -> dict[tuple[Name, Name], dict[Action, Operation]]:
    """What the service does with each event of each channel."""
    found: dict[tuple[Name, Name], dict[Action, Operation]] = defaultdict(dict)
    for operation in service.operations:
        for message in operation.messages:
            found[operation.channel, message].setdefault(operation.action, operation)
    return found


def _called(message: Message) -> str:
    return f"`{message.type.value}` {message.version.value}"
