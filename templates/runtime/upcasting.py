"""Older versions of an event, on their way to the handler of the newest."""

from __future__ import annotations

from inspect import iscoroutinefunction, signature
from typing import TYPE_CHECKING, Any, get_type_hints

from .errors import ConfigurationError
from .service import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from .service import EventType


def older(event: EventType, upcast: Callable[[Any], BaseModel], newer: Route) -> Route:
    """The route of a version of which `upcast` makes the version of the route `newer`.

    That it does is a matter for the type checker. What it cannot see at start-up is refused here.
    """
    if iscoroutinefunction(upcast) or not _fits(upcast, event.model, newer.event.model):
        old, new = event.model.__name__, newer.event.model.__name__
        raise ConfigurationError(
            f"{upcast.__module__}.upcast must be `def upcast(old: {old}) -> {new}`"
        )
    onward = newer.upcast

    def upcast_to_the_newest(old: Any) -> Any:
        made = upcast(old)
        return made if onward is None else onward(made)

    return Route(event, newer.handler, upcast_to_the_newest)


def _fits(upcast: Callable[[Any], Any], old: type[BaseModel], new: type[BaseModel]) -> bool:
    names = list(signature(upcast).parameters)
    try:
        hints = get_type_hints(upcast)
    except NameError:  # an annotation that names nothing
        return False
    return len(names) == 1 and hints.get(names[0]) is old and hints.get("return") is new
