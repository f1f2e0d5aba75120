"""The page: sections of articles, and a graph of who publishes and consumes."""

from __future__ import annotations

from dataclasses import dataclass

from eventgen.model import Text


@dataclass(frozen=True, slots=True)
class Fact:
    """One value. `origin` is where it was said, or why it is what it is."""

    name: str
    value: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One property of a schema, `depth` levels inside of it. `target` is the anchor of its type."""

    depth: int
    name: str
    need: str  # required, or nothing
    type: str
    target: str
    limits: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Table:
    """A schema, readable."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Text to copy: an example, or a schema as it is."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """One event, channel, server or type."""

    anchor: str
    title: str
    words: Text
    badges: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    samples: tuple[Sample, ...] = ()
    sources: tuple[Sample, ...] = ()  # for those who want it exactly; folded up


@dataclass(frozen=True, slots=True)
class Section:
    """The articles of one kind."""

    title: str
    anchor: str
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A channel in the graph, in pixels, with the lines of its text."""

    y: int
    height: int
    side: str  # in, or out
    x: int
    arrow: str  # the path of the arrow between it and the service
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in the graph, which may be cut short."""

    x: int
    y: int
    kind: str  # channel, or event
    target: str
    text: str
    full: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Channels to the left are consumed, those to the right published."""

    height: int
    middle: int
    service: str
    summary: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    title: str
    version: str
    tool: str
    words: Text
    facts: tuple[Fact, ...]
    graph: Graph
    sections: tuple[Section, ...]
