"""The one entry: from a path to a service, whatever the specification is written in."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Suppression, has_errors
from eventgen.model import Service
from eventgen.spec import dialects, suppress
from eventgen.spec.addresses import Fetch, offline
from eventgen.spec.asyncapi.common import beginning
from eventgen.spec.document import check, settle
from eventgen.spec.document.explain import Finding
from eventgen.spec.nearest import nearest
from eventgen.spec.refs import Files, project_root
from eventgen.spec.shape import Reading, kind

if TYPE_CHECKING:
    from types import ModuleType

    from eventgen.model.config import Config, Perspective
    from eventgen.spec.tree import Node

_VERSION = re.compile(r"(\d+\.\d+)(?:\.\d+)?(?:-[\w.]+)?\Z", re.ASCII)
_EXPECTED = (
    "a specification begins with `asyncapi: 3.0.0`, or with `eventgen: 1` for the short form"
)
# Documents of other kinds that people have beside a specification, by the keys that tell.
_OTHERS = (
    (("openapi",), "an OpenAPI document, which describes HTTP requests"),
    (("swagger",), "an OpenAPI document, which describes HTTP requests"),
    (("spec", "broker"), "an eventgen.yaml, which names the specification under `spec:`"),
    (("apiVersion", "kind"), "a Kubernetes manifest"),
    (("services",), "a Compose file"),
    (("$schema",), "a JSON Schema, which describes data but no events"),
    (("properties",), "a JSON Schema, which describes data but no events"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A specification that was read.

    `service` is None when `findings` has errors. `inputs` are the files it was read from, sorted.
    `suppressions` are those of all the files; they have not been applied. `invalidating` are the
    findings that are errors in the language of the specification, whatever they are elsewhere.
    """

    service: Service | None
    findings: tuple[Diagnostic, ...]
    inputs: tuple[Path, ...]
    suppressions: tuple[Suppression, ...]
    assumed: Perspective | None  # how `publish` is read, where neither document nor config says
    invalidating: frozenset[str]


def load(
    path: Path,
    config: Config,
    display: str,
    *,
    root: Path | None = None,
    fetch: Fetch = offline,
) -> Loaded:
    """Read a specification and everything it refers to.

    `display` is how messages name the file. Only files below `root` are read: by default the git
    repository the file is in, or else the file's own folder. `fetch` reads from other machines.
    """
    files = Files(project_root(path) if root is None else root.resolve(), fetch=fetch)
    reading = Reading(files, config, files.findings)
    document = files.open(path, display)
    service = None
    shape: tuple[Finding, ...] = ()
    if document is not None:
        shape = _checked(document.root, reading)
        service = _read(document.root, reading)
    suppressions: list[Suppression] = []
    for one in files.documents():
        wishes, faults = suppress.read(one)
        suppressions += wishes
        files.findings += faults
    findings = in_order(settle(shape, files.findings), display)
    readable = None if has_errors(findings) else service
    return Loaded(
        readable,
        findings,
        files.inputs(),
        tuple(suppressions),
        reading.assumed,
        reading.invalidating,
    )


def in_order(findings: Iterable[Diagnostic], display: str) -> tuple[Diagnostic, ...]:
    """Findings by their place: those of the specification itself, then those of other files."""
    return tuple(sorted(findings, key=lambda found: _place(found, display)))


def _checked(root: Node, reading: Reading) -> tuple[Finding, ...]:
    """What is wrong with the shape of a document of AsyncAPI."""
    version = root.get("asyncapi")
    matched = None if version is None else _VERSION.match(version.words)
    known = {one for module in _dialects() for one in getattr(module, "VERSIONS", ())}
    return check(root, matched[1], reading) if matched and matched[1] in known else ()


def _read(root: Node, reading: Reading) -> Service | None:
    if not isinstance(root.value, dict):
        reading.error(
            "unknown-document",
            f"this is {kind(root.value)}, and a specification is a mapping",
            beginning(root.span),
            help=_EXPECTED,
        )
        return None
    found = [module for module in _dialects() if module.detect(root)]
    if root.get("asyncapi") is not None and not _is_supported(root, reading, found):
        return None
    if not found:
        _unknown(root, reading)
        return None
    reading.invalidating = found[0].INVALIDATING
    service: Service | None = found[0].read(root, reading)
    return service


def _dialects() -> tuple[ModuleType, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(dialects.__path__))
    return tuple(importlib.import_module(f"{dialects.__name__}.{name}") for name in names)


def _is_supported(root: Node, reading: Reading, found: list[ModuleType]) -> bool:
    version = root.value["asyncapi"]
    matched = _VERSION.match(version.words)
    for module in found:
        if matched is not None and matched[1] in module.VERSIONS:
            return True
    reading.error(
        "unsupported-version",
        f"`asyncapi: {version.words}` is not a version that eventgen reads"
        if version.words
        else "`asyncapi` does not say the version",
        version.span if version.words else root.place("asyncapi"),
        help="it reads AsyncAPI 2.0 to 2.6, 3.0 and 3.1; write it as `asyncapi: 3.0.0`",
    )
    return False


def _unknown(root: Node, reading: Reading) -> None:
    near = nearest("asyncapi", root.value) or nearest("eventgen", root.value)
    if near is not None:
        reading.error(
            "unknown-document",
            f"`{near}` is not a key of a specification",
            root.place(near),
            help=_EXPECTED,
        )
        return
    title = next((title for keys, title in _OTHERS if all(key in root.value for key in keys)), None)
    reading.error(
        "unknown-document",
        "this is not a specification of events" if title is None else f"this is {title}",
        beginning(root.span),
        help=_EXPECTED,
    )


def _place(found: Diagnostic, main: str) -> tuple[bool, bool, str, int, int]:
    if found.primary is None:
        return (False, False, "", 0, 0)
    span = found.primary.span
    return (True, span.source.path != main, span.source.path, span.line, span.column)
