"""The exit codes every command keeps to, and the exception that carries one to `cli`."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the shell is told."""

    OK = 0
    FINDINGS = 1  # findings, or files that are not up to date
    USAGE = 2
    INVALID = 3  # the specification or the configuration is wrong
    REFUSED = 4  # hand edits would have been overwritten
    CONFLICTS = 5
    ENVIRONMENT = 6  # the machine: a folder in the way, no permission, a full disk
    BUG = 70
    INTERRUPTED = 130


class Stop(Exception):  # noqa: N818  - ends a command early, with a sentence for the user
    """The command cannot go on. `message` says why, `help_` what to do about it."""

    def __init__(self, code: Exit, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help_
