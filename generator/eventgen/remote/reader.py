"""The `Fetch` of one run: from the cache when it is locked, from the web when that is allowed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eventgen.remote import lock
from eventgen.spec.addresses import Fetch, Refusal, offline
from eventgen.write.put import put

_MOST = 300  # files from the web in one run


@dataclass(slots=True)
class Reader:
    """Reads remote files, and remembers in `used` what it gave.

    `cache` is the folder that keeps contents by their hash; None keeps nothing. `web` is None
    when nothing may be read from there.
    """

    locked: Mapping[str, lock.Locked]
    cache: Path | None
    web: Fetch | None
    used: dict[str, lock.Locked] = field(default_factory=dict)
    _read: int = 0

    def __call__(self, url: str) -> bytes | Refusal:
        """The content behind a URL, the same that is locked."""
        locked = self.locked.get(url)
        cached = self._cached(locked)
        content = self._from_web(url, locked) if cached is None else cached
        if isinstance(content, bytes):
            self.used[url] = lock.lock(content)
        return content

    def _from_web(self, url: str, locked: lock.Locked | None) -> bytes | Refusal:
        if self.web is None:
            return offline(url) if locked is None else _not_cached(url)
        self._read += 1
        if self._read > _MOST:
            text = f"`{url}` is one of more than {_MOST} remote files"
            return Refusal("remote-reference", text, "save them and refer to them by their paths")
        content = self.web(url)
        if isinstance(content, Refusal):
            return content
        if locked is not None and lock.lock(content) != locked:
            return _changed(url, locked, lock.lock(content))
        self._keep(content)
        return content

    def _cached(self, locked: lock.Locked | None) -> bytes | None:
        """A content from the cache, which anybody may have changed since."""
        if locked is None or self.cache is None:
            return None
        # Named by a hash that is computed: what the lock says is not trusted to name a file.
        with contextlib.suppress(OSError, ValueError):
            content = (self.cache / locked.sha256).read_bytes()
            if lock.lock(content) == locked:
                return content
        return None

    def _keep(self, content: bytes) -> None:
        if self.cache is not None:
            with contextlib.suppress(OSError):  # a cache that cannot be written is no cache
                put(self.cache / lock.lock(content).sha256, content)


def _not_cached(url: str) -> Refusal:
    return Refusal(
        "remote-reference",
        f"`{url}` is locked, but this machine has not read it yet",
        "read it once with `--allow-remote`; it must be what `eventgen.lock` says",
    )


def _changed(url: str, locked: lock.Locked, found: lock.Locked) -> Refusal:
    return Refusal(
        "remote-reference",
        f"`{url}` is not what it was when it was locked",
        "look at what changed; to accept it, remove it from `eventgen.lock` and run again",
        (
            f"locked: {locked.size} bytes, sha256 {locked.sha256}",
            f"found:  {found.size} bytes, sha256 {found.sha256}",
        ),
    )
