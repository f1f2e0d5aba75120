"""Writes a document in the short form as AsyncAPI 3.0, in YAML."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from eventgen.diagnostics import Diagnostic
from eventgen.model.config import Config
from eventgen.spec.addresses import Fetch, offline
from eventgen.spec.dialects import native
from eventgen.spec.keywords import DATA
from eventgen.spec.load import load
from eventgen.spec.refs import Files, project_root
from eventgen.spec.shape import Reading
from eventgen.spec.tree import plain, scalar

_WIDTH = 100
_SHORT = 70  # characters of a mapping or list that stays on one line
_TOP = re.compile(r"\n(?=\S)")
_COMMENTS = re.compile(r"(?:#.*\n|[ \t]*\n)*")
_UNUSUAL = re.compile(
    r"[^\n\x20-\x7e\xa0-\u2027\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd]"
)  # escaped
_MODELINE = re.compile(r"#\s*yaml-language-server:.*\n")


@dataclass(frozen=True, slots=True)
class Converted:
    """An AsyncAPI document. `text` is None when there are errors, or it was AsyncAPI before."""

    text: str | None
    findings: tuple[Diagnostic, ...]


def convert(
    path: Path, config: Config, display: str, folder: Path, fetch: Fetch = offline
) -> Converted:
    """A document in the short form, as it is to be written to a file in `folder`.

    Read again, it gives the same service. What AsyncAPI has no word for stands under `x-eventgen`.
    """
    loaded = load(path, config, display, fetch=fetch)
    files = Files(project_root(path))
    document = files.open(path, display)
    if loaded.service is None or document is None or not native.detect(document.root):
        return Converted(None, loaded.findings)
    translated = native.translate(document.root, Reading(files, config))
    whole = _moved(plain(translated), path.parent, folder)
    text = yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return Converted(_comments(document.source.text) + _TOP.sub("\n\n", text), loaded.findings)


def _comments(text: str) -> str:
    """The comments before the first key, but for one that names the schema of the short form."""
    found = _COMMENTS.match(text)
    return "" if found is None else _MODELINE.sub("", found[0])


def _moved(value: Any, old: Path, new: Path) -> Any:
    """The document with its references to files as they are from another folder."""
    if isinstance(value, list):
        return [_moved(item, old, new) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _moved_reference(one, old, new)
        if key == "$ref" and isinstance(one, str)
        else (one if key in DATA else _moved(one, old, new))
        for key, one in value.items()
    }


def _moved_reference(reference: str, old: Path, new: Path) -> str:
    address, mark, fragment = reference.partition("#")
    if not address or "://" in address or old.resolve() == new.resolve():
        return reference
    return Path(os.path.relpath(old / address, new)).as_posix() + mark + fragment


class _Dumper(yaml.SafeDumper):
    """Block style but for what is short, and quotes wherever YAML 1.2 would read no text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented below their key."""
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Never an alias: what several events share is written out."""
        del data
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = None
    if _UNUSUAL.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    elif not isinstance(scalar(text), str):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _mapping(dumper: _Dumper, data: dict[str, Any]) -> yaml.Node:
    node = dumper.represent_mapping("tag:yaml.org,2002:map", data.items())
    node.flow_style = _is_short([part for pair in node.value for part in pair])
    return node


def _list(dumper: _Dumper, data: list[Any]) -> yaml.Node:
    node = dumper.represent_sequence("tag:yaml.org,2002:seq", data)
    node.flow_style = _is_short(node.value)
    return node


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _list)


def _is_short(parts: list[yaml.Node]) -> bool:
    """Whether these are few plain words."""
    texts = [part.value for part in parts if isinstance(part, yaml.ScalarNode)]
    is_plain = len(texts) == len(parts) and not any("\n" in text for text in texts)
    return is_plain and sum(len(text) + 2 for text in texts) <= _SHORT
