"""Two versions of a channel: its address, its parameters, its order and its bindings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from eventgen.compat.bindings import compare_bindings
from eventgen.compat.change import BOTH, Break, Change, Party, breaking
from eventgen.model import Ordering

if TYPE_CHECKING:
    from eventgen.model import Channel, Parameter, Service

_PARAMETER = re.compile(r"\{[^{}]*\}")


def paired(old: Service, new: Service) -> tuple[tuple[Channel, Channel], ...]:
    """The channels that both versions have: by address, and else by key.

    Several may share an address, and their keys tell them apart.
    """
    rules: tuple[Callable[[Channel, Channel], bool], ...] = (
        lambda one, two: _pattern(one) == _pattern(two) and one.id == two.id,
        lambda one, two: _pattern(one) == _pattern(two),
        lambda one, two: one.id == two.id,
    )
    found: dict[int, tuple[Channel, Channel]] = {}
    free = list(new.channels)
    for is_twin in rules:
        for one in old.channels:
            twin = next((two for two in free if is_twin(one, two)), None)
            if id(one) not in found and twin is not None:
                found[id(one)] = (one, twin)
                free.remove(twin)
    return tuple(found.values())


def compare(old: Channel, new: Channel) -> Iterator[Change]:
    """What differs of a channel itself."""
    subject = f"the channel `{new.id.value}`"
    if _pattern(old) != _pattern(new):
        yield Change(
            "address-changed",
            f"the address of {subject} is `{new.address.value}`, and was `{old.address.value}`",
            old.places.at("address"),
            new.places.at("address"),
            breaking("the two sides do not meet any more", *BOTH),
            help="add a channel with the new address, and keep this one until nobody uses it",
            details={"before": old.address.value, "after": new.address.value},
        )
    else:
        yield from _parameters(old, new, subject)
    if (old.ordering, new.ordering) == (Ordering.KEY, Ordering.NONE):
        yield Change(
            "key-changed",
            f"{subject} does not keep order any more",
            old.span,
            new.places.at("x-eventgen", "ordering"),
            breaking("events of one key may overtake each other", Party.CONSUMERS),
            help="keep `ordering: key`, or tell those who consume it",
            details={"before": old.ordering.value, "after": new.ordering.value},
        )
    yield from compare_bindings(old, new, subject)


def added(channel: Channel) -> Change:
    """A channel that was not there."""
    text = f"the channel `{channel.id.value}` is new"
    return Change("something-added", text, None, channel.span)


def removed(channel: Channel, parties: tuple[Party, ...]) -> Change:
    """A channel that is not there any more."""
    return Change(
        "channel-removed",
        f"there is no channel `{channel.id.value}` any more",
        channel.span,
        None,
        breaking(f"they use its address, `{channel.address.value}`", *parties),
        help="keep it until nobody uses it",
        details={"before": channel.address.value},
    )


def _pattern(channel: Channel) -> str:
    """The address, whatever its parameters are called."""
    return _PARAMETER.sub("{}", channel.address.value)


def _parameters(old: Channel, new: Channel, subject: str) -> Iterator[Change]:
    """By their place in the address: their names are the document's own business."""
    after = {one.name: one for one in new.parameters}
    before = {one.name: one for one in old.parameters}
    names = [_PARAMETER.findall(one.address.value) for one in (old, new)]
    for name, other in zip(*names, strict=True):
        one, two = before.get(name[1:-1]), after.get(other[1:-1])
        if one is not None and two is not None:
            yield from _parameter(one, two, subject)


def _parameter(old: Parameter, new: Parameter, subject: str) -> Iterator[Change]:
    was, now = ({text.value for text in one.enum} for one in (old, new))
    if was == now:
        return
    gone = sorted(was - now) if now else []
    more = sorted(now - was) if was else []
    breaks: dict[Party, Break] = {}
    if gone or not was:
        breaks |= breaking("they use addresses that are not allowed any more", Party.PRODUCERS)
    if more or not now:
        breaks |= breaking("they do not know all of the addresses", Party.CONSUMERS)
    told = [f"may not be {_listed(gone)} any more"] if gone else []
    told += [f"may also be {_listed(more)}"] if more else []
    told += [] if was else [f"may only be {_listed(sorted(now))}"]
    told += [] if now else ["may be anything"]
    yield Change(
        "parameter-changed",
        f"`{new.name}` in the address of {subject} {', and '.join(told)}",
        old.places.at("enum"),
        new.places.at("enum"),
        breaks,
        help="keep its values",
        details={"path": new.name, "before": sorted(was), "after": sorted(now)},
    )


def _listed(values: list[str]) -> str:
    return ", ".join(f"`{one}`" for one in values)
