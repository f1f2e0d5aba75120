"""Renders the user-owned skeleton of a service with copier."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eventgen.render.templates import data_root

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Answers:
    """What the skeleton needs to know.

    `plugged_in` are the brokers that it may not know, with the distributions that they need.
    `payload_requirements` are the distributions that its payloads need.
    """

    service: str  # kebab-case
    package: str
    title: str
    description: str
    broker: str
    database: str
    spec: str  # file name of the specification in the project
    plugged_in: Mapping[str, tuple[str, ...]]
    payload_requirements: tuple[str, ...]


def scaffold(target: Path, answers: Answers) -> None:
    """Write the skeleton into `target`, which is created when it is missing.

    Nothing is written unless everything can be. Raises FileExistsError when a file is in the way,
    OSError when the folder cannot be written, ValueError when copier refuses an answer.
    """
    with tempfile.TemporaryDirectory(prefix="eventgen-") as folder:
        template, rendered = Path(folder, "template"), Path(folder, "rendered")
        copy_template(template)
        render(template, _data(answers), rendered)
        in_the_way = [path for path in _files(rendered) if _exists(target / path)]
        if in_the_way:
            names = ", ".join(path.as_posix() for path in in_the_way)
            raise FileExistsError(f"{target} already has {names}")
        shutil.copytree(rendered, target, dirs_exist_ok=True)


def render(template: Path, data: Mapping[str, object], folder: Path) -> None:
    """Render a template. Answers that `folder` has already hold where `data` says nothing.

    Raises ValueError when an answer is refused.
    """
    import copier  # noqa: PLC0415  - a second, which `--help` and `--check` need not wait for
    from copier.errors import CopierError  # noqa: PLC0415

    try:
        copier.run_copy(
            str(template),
            folder,
            data=dict(data),
            settings=copier.Settings(),  # the user's own could change what is rendered
            defaults=True,
            overwrite=True,
            quiet=True,
            unsafe=False,
        )
    except CopierError as error:
        raise ValueError(f"the skeleton of the service cannot be made: {error}") from error


def copy_template(folder: Path) -> None:
    """Copy the template of this version out of wherever it is installed.

    Copier would take a checkout of eventgen for a template in git, and render its last release.
    """
    root = data_root()
    folder.mkdir(parents=True)
    shutil.copy(root / "copier.yml", folder)
    shutil.copytree(root / "templates" / "service", folder / "templates" / "service")


def hidden(
    plugged_in: Mapping[str, tuple[str, ...]], payload_requirements: tuple[str, ...]
) -> dict[str, object]:
    """The answers that nobody is asked for, those which are not as the template has them."""
    data: dict[str, object] = {}
    if plugged_in:
        data["broker_requirements"] = {name: list(needed) for name, needed in plugged_in.items()}
    if payload_requirements:
        data["payload_requirements"] = list(payload_requirements)
    return data


def _data(answers: Answers) -> dict[str, object]:
    return {
        "service": answers.service,
        "package": answers.package,
        "title": _line(answers.title) or answers.service,
        "description": _line(answers.description.strip().split("\n\n")[0]),
        "broker": answers.broker,
        "database": answers.database,
        "spec": answers.spec,
        **hidden(answers.plugged_in, answers.payload_requirements),
    }


def _line(text: str) -> str:
    """Words from a specification on one line, without characters no file format likes."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def _files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()
