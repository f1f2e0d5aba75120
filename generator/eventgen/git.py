"""Runs git. Hooks and what else a user has configured for commits of their own stay out of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",  # it would watch folders that are gone in a moment
    "core.safecrlf": "false",
    "commit.gpgSign": "false",
    "rerere.enabled": "false",
}

# Words that can be compared; and to look at a repository changes nothing in it.
_ENVIRONMENT = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


class MissingGitError(OSError):
    """There is no git on this machine."""


class GitError(Exception):
    """Git did not do what it was asked; its own words."""


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one folder, with more in its environment."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def ask(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run it, and leave it to the caller what its exit code means."""
        git = shutil.which("git")
        if git is None:
            raise MissingGitError("there is no `git` on this machine")
        settings = [part for pair in _SETTINGS.items() for part in ("-c", "=".join(pair))]
        return subprocess.run(
            [git, *settings, *arguments],
            cwd=self.folder,
            env={**os.environ, **_ENVIRONMENT, **self.environment},
            input=given,
            capture_output=True,
            check=False,
        )

    def run(self, *arguments: str, given: bytes = b"") -> str:
        """Run it; what it printed. Raises GitError when it fails."""
        made = self.ask(*arguments, given=given)
        if made.returncode:
            raise GitError(os.fsdecode(made.stderr).strip() or f"git {arguments[0]} failed")
        return os.fsdecode(made.stdout)

    def is_in_repository(self) -> bool:
        """Whether there is a git, and it keeps this folder."""
        return shutil.which("git") is not None and self.says("rev-parse", "--git-dir")

    def says(self, *arguments: str) -> bool:
        """Whether it answers yes."""
        return self.ask(*arguments).returncode == 0

    def paths(self, *arguments: str) -> tuple[str, ...]:
        """What a command that was given `-z` lists."""
        return tuple(self.run(*arguments).split("\0")[:-1])
