"""Reads one input file as text, or says why it cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventgen.diagnostics import Diagnostic, Severity, Source

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 10 * 1024 * 1024  # bytes; the largest real specification known to us has 0.25 MB
_AS_UTF8 = "save the file as UTF-8"
# Byte order marks; the longer one first, as UTF-16's is its beginning.
_OTHER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def load(path: Path, display: str) -> Source | Diagnostic:
    """The text of `path`. `display` is how messages name the file.

    A byte order mark is taken off; line ends stay as they are.
    """
    try:
        if path.is_dir():
            return _problem("not-a-file", f"`{display}` is a folder", "name a file in it")
        if path.stat().st_size > LARGEST:
            return _too_large(display)
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        return _problem("file-missing", f"there is no file `{display}`", "check the path")
    except (OSError, ValueError) as error:  # ValueError: a path that holds a null character
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _problem("file-unreadable", f"`{display}` cannot be read: {reason.lower()}")
    if len(data) > LARGEST:  # a pipe or a device, whose size is not known before
        return _too_large(display)
    return decode(data, display)


def decode(data: bytes, display: str) -> Source | Diagnostic:
    """The text of a file whose content was read elsewhere."""
    encoding = next((name for mark, name in _OTHER_MARKS if data.startswith(mark)), None)
    if encoding is not None:
        return _problem("not-utf-8", f"`{display}` is {encoding}, not UTF-8", _AS_UTF8)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _problem(
            "not-utf-8",
            f"`{display}` is not UTF-8: line {line} holds the byte 0x{data[error.start]:02x}",
            _AS_UTF8,
        )
    if not text.strip():
        return _problem(
            "file-empty", f"`{display}` is empty", "write the document, or name another"
        )
    return Source(display, text)


def _too_large(display: str) -> Diagnostic:
    return _problem(
        "file-too-large",
        f"`{display}` is larger than {LARGEST // (1024 * 1024)} MB",
        "split the document into several files and join them with `$ref`",
    )


def _problem(name: str, message: str, remedy: str | None = None) -> Diagnostic:
    return Diagnostic(name, Severity.ERROR, message, help=remedy)
