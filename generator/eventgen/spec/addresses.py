"""Where the address of a `$ref` leads: to a file of the project, to another machine, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urljoin, urlsplit

from eventgen.spec.nearest import nearest

# A file, or a URL.
Place: TypeAlias = Path | str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an address is not followed: the parts of a diagnostic that has its place elsewhere."""

    name: str
    message: str
    help: str | None = None
    notes: tuple[str, ...] = ()


# Gives the content behind a URL. It is the caller's, as reading from a network is an effect.
Fetch: TypeAlias = Callable[[str], bytes | Refusal]


def offline(url: str) -> bytes | Refusal:
    """The `Fetch` of those who allow none."""
    return Refusal(
        "remote-reference",
        f"`{url}` is on another machine, and is not read without being allowed",
        "allow it with `--allow-remote`, or save the file and refer to it by its path",
    )


def resolve(address: str, base: Place, root: Path) -> Place | Refusal:
    """The place of an address that is written in the document at `base`, without its fragment.

    Nothing outside `root` is named, whatever the way: `..`, an absolute path, `file:`, a link, a
    network share, or any of them percent-encoded. Only its own project may name a file.
    """
    scheme = _scheme(address)
    if isinstance(base, str) and scheme in ("", "http", "https"):
        return _url(urljoin(base, address))
    if scheme in ("http", "https"):
        return _url(address)
    if isinstance(base, str) or scheme not in ("", "file"):
        return Refusal("dangling-reference", f"`{address}` is not a file")
    return _file(address, base, root)


def _file(address: str, base: Path, root: Path) -> Path | Refusal:
    host, path = "", address
    if _scheme(address):
        host, path = urlsplit(address)[1:3]
    name = unquote(path)
    if host not in ("", "localhost") or name.startswith(("//", "\\\\")):
        return Refusal(
            "reference-outside-project",
            f"`{address}` is on another machine",
            "copy the file into the project",
        )
    if "\\" in name:  # before the path is looked at: on Windows it could name a network share
        slashed = address.replace("\\", "/")
        remedy = f"write it with `/`: `{slashed}`" if slashed != address else None
        return Refusal("dangling-reference", f"`{address}` is not a path", remedy)
    found = real(base.parent / name)
    if found.is_relative_to(root):
        return found
    meant = (
        f"the project is `{root.name}`, the folder of the specification or the git repository it"
        " belongs to"
    )
    return Refusal(
        "reference-outside-project",
        f"`{address}` is outside the project",
        "copy the file into the project",
        (meant,),
    )


def missing(address: str, folder: Path) -> Refusal:
    """What is said of an address, written in a file of `folder`, that names no file."""
    remedy = "check the path; it is relative to the file it is written in"
    near = _nearest_file(folder, unquote(address))
    if near is not None:
        remedy = f"did you mean `{near}`?"
    return Refusal("dangling-reference", f"there is no file `{address}`", remedy)


def real(path: Path) -> Path:
    """A path without links and `..`, as far as that can be told."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links; a null character
        return path.absolute()


def _scheme(address: str) -> str:
    """The scheme in lower case; a drive's letter is none."""
    head, colon, _ = address.partition(":")
    is_scheme = colon and len(head) > 1 and head.isascii() and head[0].isalpha()
    return head.lower() if is_scheme and head.replace("+", "").isalnum() else ""


def _url(url: str) -> Place | Refusal:
    try:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            # The address is not repeated: what is secret in it would end up in logs.
            return Refusal(
                "remote-reference",
                "this address holds a user name or a password",
                "remove what stands before the `@`; only public files are read",
            )
        if parts.hostname and parts.port != 0:
            return url
    except ValueError:  # a port that is no number, brackets around no IPv6 address
        pass
    return Refusal("dangling-reference", f"`{url}` is not a web address")


def _nearest_file(folder: Path, name: str) -> str | None:
    """`name` with every part put right that is not there: often only its case is wrong."""
    parts = name.split("/")
    for index, part in enumerate(parts):
        names = _names_in(folder, files=index == len(parts) - 1)
        near = part if part in (*names, "", ".", "..") else nearest(part, names)
        if near is None:
            return None
        parts[index] = near
        folder /= near
    return "/".join(parts)


def _names_in(folder: Path, *, files: bool) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file() == files)
    except (OSError, ValueError):
        return []
