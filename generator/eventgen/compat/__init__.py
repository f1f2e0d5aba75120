"""Whom a change of a specification breaks: producers that stay as they are, or consumers.

`service.compare` gives every change between two versions, `report.findings` makes findings of them.
Each finding is explained in a file of `EXPLANATIONS`, under the headings of all explanations; its
example is two documents, what was and what it became.
"""

from __future__ import annotations

from pathlib import Path

EXPLANATIONS = Path(__file__).parent / "explanations"
