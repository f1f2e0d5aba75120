"""PlannedFile -> RenderedFile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from eventgen.plan.kinds import PlannedFile, RenderedFile
from eventgen.render.templates import environment, templates_root
from eventgen.render.tidy import tidy

_JINJA = ".j2"


def render(
    files: Iterable[PlannedFile], extra: tuple[Path, ...] = (), cache: Path | None = None
) -> tuple[RenderedFile, ...]:
    """Render and format every file. What is copied verbatim is not touched by the formatter."""
    planned = tuple(files)
    env = environment(extra, cache)
    roots = (templates_root(), *extra)
    texts = {
        file.path: env.get_template(file.template).render(view=file.view)
        for file in planned
        if file.template.endswith(_JINJA)
    }
    tidied = tidy(texts)
    return tuple(
        RenderedFile(
            file.path,
            tidied[file.path] if file.path in tidied else _verbatim(file.template, roots),
            file.owner,
        )
        for file in planned
    )


def _verbatim(template: str, roots: tuple[Path, ...]) -> str:
    found = next(root / template for root in roots if (root / template).is_file())
    return found.read_text(encoding="utf-8")
