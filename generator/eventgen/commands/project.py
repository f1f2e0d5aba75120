"""A project on disk: where it is, what it is configured as, and whether anything has changed."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from eventgen import __version__
from eventgen.commands.exits import Exit, Stop

CONFIG = "eventgen.yaml"
LOCK = "eventgen.lock"  # what it refers to on other machines is pinned there
_STATE = Path(".eventgen/state")
_OWNED = ("generated", "appended")  # in the manifest: files that nobody else may edit
_PACKAGE = Path(__file__).parents[1]


def find(folder: Path) -> Path:
    """The project that a folder is in: the nearest one above it with an `eventgen.yaml`."""
    root = around(folder)
    if root is None:
        raise Stop(
            Exit.USAGE,
            f"there is no {CONFIG} in {folder} or above it",
            "run `eventgen new service` to start a project, or go to one",
        )
    return root


def around(folder: Path) -> Path | None:
    """The same; None when the folder is in no project."""
    start = folder.resolve()
    folders = (start, *start.parents)
    return next((one for one in folders if (one / CONFIG).is_file()), None)


def require_free(folder: Path) -> None:
    """Stop when there is something where a new project is to go."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Stop(
            Exit.ENVIRONMENT,
            f"{folder} is there already and is not an empty folder",
            "give another PATH, or move what is there away",
        )


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, which there may not be."""
    try:
        return os.path.realpath(one) == os.path.realpath(other)
    except ValueError:  # a path that holds a null character
        return False


@dataclass(frozen=True, slots=True)
class State:
    """What the last generation was made from and made: how a no-op run knows that it is one.

    `plug_in` is the name of a broker that is no part of eventgen, whose code counts too.
    """

    tool: str
    plug_in: str
    inputs: tuple[str, ...]
    digest: str
    outputs: str


def load_state(root: Path) -> State | None:
    """The state of the last generation, or None when there is none that can be trusted."""
    try:
        raw = json.loads((root / _STATE).read_text(encoding="utf-8"))
        inputs = tuple(raw["inputs"])
        return State(raw["tool"], raw["plug_in"], inputs, raw["digest"], raw["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save_state(root: Path, inputs: tuple[Path, ...], plug_in: str = "") -> None:
    """Remember a finished generation. The file is a cache: git ignores it."""
    names = tuple(sorted(os.path.relpath(path, root) for path in inputs))
    tool, outputs = _tool_stamp(plug_in), outputs_digest(root)
    state = State(tool, plug_in, names, digest(root, names), outputs)
    (root / _STATE).write_text(json.dumps(asdict(state)), encoding="utf-8")


def is_current(root: Path) -> bool:
    """Whether nothing that a generation depends on, or has written, changed since the last one."""
    state = load_state(root)
    return (
        state is not None
        and state.tool == _tool_stamp(state.plug_in)
        and state.digest == digest(root, state.inputs)
        and state.outputs == outputs_digest(root)
    )


def digest(root: Path, inputs: tuple[str, ...]) -> str:
    """Over what a person says of a generation: configuration, specification."""
    hashed = hashlib.sha256()
    for name in (CONFIG, LOCK, *inputs):
        content = _bytes(root / name)
        hashed.update(f"\n{name} {'-' if content is None else len(content)}\n".encode())
        hashed.update(content or b"")
    return hashed.hexdigest()


def outputs_digest(root: Path) -> str:
    """Over what eventgen owns on disk now, and over which of the other files are there."""
    listing = _bytes(root / ".eventgen" / "manifest") or b""
    hashed = hashlib.sha256(listing)
    for line in listing.decode(errors="replace").splitlines()[1:]:
        _, owner, path = line.split(" ", 2) if line.count(" ") > 1 else ("", "", line)
        owned = owner in _OWNED
        content = _bytes(root / path) if owned else str((root / path).exists()).encode()
        hashed.update(hashlib.sha256(content or b"-").digest())
    return hashed.hexdigest()


def _tool_stamp(plug_in: str) -> str:
    """Changes whenever the generator's code or templates do, as in a checkout, or a plug-in's."""
    roots = [_PACKAGE, _PACKAGE.parents[1] / "templates"]
    if plug_in:
        from eventgen.brokers import folders  # noqa: PLC0415  - slow, and needed by few

        roots += folders(plug_in)
    stamps = (
        f"{entry.stat().st_mtime_ns}:{entry.stat().st_size}"
        for root in roots
        for folder, _, names in os.walk(root)
        for name in names
        if not name.endswith(".pyc") and (entry := Path(folder, name)).is_file()
    )
    return hashlib.sha256("\n".join((__version__, *stamps)).encode()).hexdigest()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def cache_folder() -> Path | None:
    """Where what is expensive to make is kept between runs; None when there is no home."""
    base = os.environ.get("XDG_CACHE_HOME") or (
        str(Path.home() / ".cache") if os.environ.get("HOME") else None
    )
    return Path(base) / "eventgen" if base else None
