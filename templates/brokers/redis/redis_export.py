"""What sets Redis up for a service: commands for `redis-cli`, and what its user may do."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from .redis_names import partitions_key, stream

_ALWAYS = ("+ping", "+info", "+time", "+wait", "+client|setname")
_CONSUME = (
    *("+xread", "+xrange", "+xtrim", "+xinfo|stream", "+xinfo|groups"),
    *("+xgroup|create", "+xgroup|setid"),
)
_SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in "*?[]\\"})


def commands(
    user: str,
    published: Iterable[str],
    groups: Sequence[tuple[str, str]],
    partitions: int,
    *,
    wait_fsync: bool,
) -> str:
    """One command a line: streams, bookmarks, and the user, who still needs a password.

    `published` are the bases of streams that are added to, `groups` the bookmarks with the bases of
    theirs. What there is of streams and bookmarks stays as it is, and Redis says so.
    """
    added, read = sorted({*published}), sorted({base for base, _ in groups})
    lines = [
        ["SET", partitions_key(base), str(partitions), "NX"] for base in sorted({*added, *read})
    ]
    lines += [
        ["XGROUP", "CREATE", stream(base, part), group, "0", "MKSTREAM"]
        for base, group in groups
        for part in range(partitions)
    ]
    reset = ("on", "resetkeys", "resetchannels", "clearselectors", "-@all")
    always = (*_ALWAYS, *(("+waitaof",) if wait_fsync else ()))
    asked = _selector("+get", *(f"%R~{_key(base)}:partitions" for base in {*added, *read}))
    adding = _selector("+xadd", *(f"%W~{_key(base)}:*" for base in added))
    reading = _selector(*_CONSUME, *(f"~{_key(base)}:*" for base in read))
    rights = [asked, *([adding] if added else []), *([reading] if read else [])]
    lines.append(["ACL", "SETUSER", user, *reset, *always, *rights])
    return "".join(f"{shlex.join(line)}\n" for line in lines)


def _selector(*rules: str) -> str:
    return f"({' '.join(sorted(rules))})"


def _key(base: str) -> str:
    """A base in a pattern, where it means itself alone."""
    return base.translate(_SPECIAL)
