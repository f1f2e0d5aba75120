"""What each finding of the readers is about: one Markdown file for each, named as the finding is.

The files have the headings that rules have in their docstrings, after one line that says it all.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def load(folder: Path = _FOLDER) -> dict[str, str]:
    """The explanations in a folder, those of the readers by default, by name."""
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in folder.glob("*.md")}
