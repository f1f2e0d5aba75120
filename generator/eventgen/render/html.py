"""Page -> HTML that stands for itself: no other file, no network, and nobody else's script."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

from eventgen.model import Text
from eventgen.plan.page import Page
from eventgen.render.templates import templates_root

# What has no place in HTML, or turns the direction of what follows.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Document:
    """What the template prints. `policy` lets a browser run our script alone, and load nothing."""

    page: Page
    style: Markup
    script: Markup
    policy: str


def html(page: Page) -> str:
    """The text of the page."""
    folder = templates_root() / "page"
    style, script = (
        (folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_root()),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.clear()
    # Both are files of ours, which no word of a specification gets into.
    view = Document(page, Markup(style), Markup(script), policy)  # noqa: S704
    return env.get_template("page/page.html.j2").render(view=view)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _shown(value: Any) -> Any:
    """Words as they may be seen; they are escaped after this."""
    text = value.value if isinstance(value, Text) else value
    if isinstance(text, str) and not isinstance(text, Markup):
        return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return text
