"""Which versions of an event have one handler, and what is generated for that."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from eventgen.model import Message
from eventgen.model.config import Config, EventConfig, Versions
from eventgen.plan import views
from eventgen.plan.kinds import Subject, View

_VERSION = re.compile(r"_?v?[0-9]+\Z")


def chains(subject: Subject) -> tuple[tuple[Message, ...], ...]:
    """The events whose versions have one handler, each with its versions, the oldest first."""
    received = {message.name.snake: message for _, message in subject.service.received()}
    families: dict[str, dict[int, Message]] = defaultdict(dict)
    for _, message in sorted(received.items()):
        families[message.family].setdefault(message.major, message)
    return tuple(
        tuple(versions[number] for number in sorted(versions))
        for _, versions in sorted(families.items())
        if len(versions) > 1 and _is_one(versions.values(), subject.config)
    )


def _is_one(versions: Iterable[Message], config: Config) -> bool:
    names = {name for one in versions for name in (one.family, one.type.value, one.id.value)}
    said = {config.events.get(name, EventConfig()).versions for name in names} - {None}
    return (said or {config.versions}) == {Versions.UPCAST}


def handlers(subject: Subject) -> Mapping[str, str]:
    """The handler of each event that the service receives, by the event's name.

    A handler of several versions is called after the event, so that a newer one renames nothing.
    """
    received = {message.name.snake for _, message in subject.service.received()}
    found = {name: f"on_{name}" for name in received}
    for versions in chains(subject):
        own = {one.name.snake for one in versions}
        newest = versions[-1].name.snake
        short = _VERSION.sub("", newest)
        called = newest if short in received - own or not short else short
        found |= dict.fromkeys(own, f"on_{called}")
    return found


def upcast(subject: Subject) -> frozenset[str]:
    """The names of the events that are made into newer ones before they are handled."""
    return frozenset(one.name.snake for versions in chains(subject) for one in versions[:-1])


def upcaster_views(subject: Subject) -> Iterable[View]:
    """One for each version that is made into the next."""
    for versions in chains(subject):
        for old, new in pairwise(versions):
            yield View(_upcaster(subject, old, new), item=old.name.snake)


def upcasters_view(subject: Subject) -> Iterable[View]:
    """For the package of the upcasters, when there are any."""
    if chains(subject):
        name = subject.service.name
        yield View(views.PackageView(name.snake, name.kebab))


def chain_views(subject: Subject) -> tuple[views.ChainView, ...]:
    """For `subscribers.py`."""
    called = handlers(subject)
    return tuple(
        views.ChainView(
            const=route_const(versions[-1]),
            event=event_const(versions[-1]),
            class_name=versions[-1].name.pascal,
            handler=called[versions[-1].name.snake],
            steps=_steps(subject, versions),
        )
        for versions in chains(subject)
    )


def _steps(subject: Subject, versions: Sequence[Message]) -> tuple[views.StepView, ...]:
    """From the newest to the oldest, as each needs the one before it."""
    return tuple(
        views.StepView(route_const(old), route_const(new), _upcaster(subject, old, new))
        for old, new in reversed(tuple(pairwise(versions)))
    )


def _upcaster(subject: Subject, old: Message, new: Message) -> views.UpcasterView:
    return views.UpcasterView(
        package=subject.service.name.snake,
        module=old.name.snake,
        const=f"UPCAST_{old.name.const}",
        event=event_const(old),
        old=old.name.pascal,
        new=new.name.pascal,
        newer=event_const(new),
    )


def event_const(message: Message) -> str:
    """The constant of an event type in `topology.py`."""
    return f"EVENT_{message.name.const}"


def route_const(message: Message) -> str:
    """The constant of a route in `subscribers.py`."""
    return f"ROUTE_{message.name.const}"
