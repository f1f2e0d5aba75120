"""Where the templates are, and the environment that renders them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import jinja2

from eventgen.model import Schema
from eventgen.render import quoting
from eventgen.render.schemas import models


def data_root() -> Path:
    """The folder with `templates/`, `specs/` and `copier.yml`: in a wheel, or in a checkout."""
    packaged = Path(__file__).parents[1] / "_data"
    return packaged if packaged.is_dir() else Path(__file__).parents[3]


def templates_root() -> Path:
    """The folder every template path is relative to."""
    return data_root() / "templates"


def environment(extra: Iterable[Path] = (), cache: Path | None = None) -> jinja2.Environment:
    """The environment of every template.

    `extra` are the template folders of installed plug-ins; `cache` keeps what the schema engine
    made, by content.
    """
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates_root(), *extra]),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  - Python and YAML, where HTML escapes would be wrong
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.globals.clear()
    env.filters.update(quoting.FILTERS)
    env.filters["py_models"] = partial(_models, cache=cache)
    return env


def _models(
    schemas: tuple[Schema, ...],
    base: str,
    payloads: frozenset[str],
    foreign: frozenset[str],
    *,
    cache: Path | None,
) -> str:
    return models(schemas, base=base, cache=cache, roots=payloads, foreign=foreign).text
