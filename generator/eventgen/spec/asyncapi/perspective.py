"""Decides what `publish` and `subscribe` mean in one AsyncAPI 2.x document.

The specification says that others may publish to a channel under `publish`, so the application
receives there; most authors mean that the application itself publishes. The words they use tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eventgen.model.config import Perspective
from eventgen.spec import settings
from eventgen.spec.asyncapi import common

if TYPE_CHECKING:
    from eventgen.diagnostics import Span
    from eventgen.spec.shape import Reading
    from eventgen.spec.tree import Node

_SENDS = re.compile(
    r"\b(?:sends?|sent|sending|emit(?:s|ted|ting)?|publish(?:es|ed|ing)?|produc(?:e|es|ed|er|ing)"
    r"|broadcasts?|push(?:es|ed)?|out|output|outgoing|outbound|returns?|notif(?:y|ies))\b",
    re.IGNORECASE,
)
_RECEIVES = re.compile(
    r"\b(?:receiv(?:e|es|ed|er|ing)|consum(?:e|es|ed|er|ing)|listen(?:s|er|ing)?|handl(?:e|es|er)"
    r"|subscrib(?:e|es|ed|er|ing)|process(?:es)?|reads?|incoming|inbound|input|on)\b",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_.]")
_SHOWN = 4  # pieces of evidence in a message


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of one operation. `sends` is what they say the application does."""

    keyword: str  # publish or subscribe
    channel: str
    words: str
    sends: bool

    @property
    def view(self) -> Perspective:
        """Whose view makes the words and the keyword agree."""
        own = (self.keyword == "publish") == self.sends
        return Perspective.APPLICATION if own else Perspective.SPECIFICATION


@dataclass(frozen=True, slots=True)
class Clue:
    """One operation of the document, where evidence may be found."""

    keyword: str
    channel: str
    node: Node
    place: Span


def decide(reading: Reading, root: Node, clues: Sequence[Clue]) -> Perspective:
    """Whose view the document takes: as configured, or else as its words say."""
    if reading.config.v2_perspective is not None:
        return reading.config.v2_perspective
    own = settings.extension(reading, root, common.ROOT_SETTINGS, "the document")
    if own is not None and own.get("v2_perspective") is not None:
        views = [view.value for view in Perspective]
        chosen = settings.choice(reading, own, "v2_perspective", views)
        return Perspective.APPLICATION if chosen is None else Perspective(chosen)
    if not clues:
        return Perspective.APPLICATION
    found = [evidence for clue in clues if (evidence := weigh(reading, clue)) is not None]
    against = sum(evidence.view is Perspective.SPECIFICATION for evidence in found)
    view = Perspective.SPECIFICATION if 2 * against > len(found) else Perspective.APPLICATION
    _tell(reading, clues[0], found, view)
    reading.assumed = view
    return view


def weigh(reading: Reading, clue: Clue) -> Evidence | None:
    """What the words of an operation say; None when they say nothing, or both."""
    tags = [tag for tag in reading.items(clue.node, "tags") if isinstance(tag.value, dict)]
    texts = (
        reading.text(clue.node, "operationId"),
        reading.text(clue.node, "summary"),
        reading.text(clue.node, "description"),
        *(reading.text(tag, "name") for tag in tags),
    )
    sends: list[str] = []
    receives: list[str] = []
    for text in texts:
        separate = _CAMEL.sub(" ", text)
        sends += _SENDS.findall(separate)
        receives += [word for word in _RECEIVES.findall(separate) if word.lower() != "on"]
    # `on` is a verb only at the beginning of a name: onOrderPlaced.
    if re.match(r"on[A-Z_-]", texts[0]):
        receives.append("on")
    if len(sends) == len(receives):
        return None
    is_sending = len(sends) > len(receives)
    words = dict.fromkeys(word.lower() for word in (sends if is_sending else receives))
    return Evidence(clue.keyword, clue.channel, "`, `".join(words), is_sending)


def _tell(reading: Reading, first: Clue, found: Sequence[Evidence], view: Perspective) -> None:
    publish_means = "sends" if view is Perspective.APPLICATION else "receives"
    agreeing = [evidence for evidence in found if evidence.view is view]
    shown = [
        f"`{one.keyword}` of `{one.channel}` says `{one.words}`: the application "
        + ("sends" if one.sends else "receives")
        for one in (*agreeing, *(one for one in found if one.view is not view))
    ]
    notes = shown[:_SHOWN]
    if len(shown) > _SHOWN:
        notes.append(f"and {len(shown) - _SHOWN} more; {len(agreeing)} of {len(found)} agree")
    if not found:
        notes = ["no words of the document tell; this is what most authors mean"]
    reading.warn(
        "perspective-assumed",
        f"`publish` is read as: the application {publish_means}",
        first.place,
        notes=tuple(notes),
        help=f"confirm it in eventgen.yaml: `v2_perspective: {view.value}`",
    )
