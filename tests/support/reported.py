"""The names of findings, as they stand in the code that reports them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_REPORTED = re.compile(
    r"(?:\.error|\.warn|Diagnostic|Refusal|[Cc]hange|Problem|_finding|_problem|report|collisions|too_long)"
    r"\(\s*(?:node,\s*)?\"([a-z0-9-]+)\""
)


def reported(sources: Iterable[Path]) -> set[str]:
    """Every name that one of the modules reports."""
    return {name for path in sources for name in _REPORTED.findall(path.read_text("utf-8"))}
