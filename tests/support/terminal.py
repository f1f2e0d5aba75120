"""A command on a terminal of its own, and somebody who types there."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

INTERRUPT = "\x03"  # Ctrl-C
END = "\x04"  # Ctrl-D
_LONGEST = 60  # seconds an answer may take on a busy machine


class Terminal:
    """`eventgen` on a terminal. `shown` is all that stands there."""

    def __init__(self, *arguments: str, cwd: Path, **variables: str) -> None:
        self.shown = ""
        self._passed = 0
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            os.chdir(cwd)
            # Whoever runs the tests in the background ignores it, and so would what they start.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            command = [sys.executable, "-m", "eventgen", *arguments]
            os.execve(command[0], command, {**os.environ, **variables})

    def wait_for(self, text: str) -> None:
        """Read until this was shown, after all that was waited for before."""
        while (found := self.shown.find(text, self._passed)) < 0:
            assert self._read(), f"`{text}` did not come:\n{self.shown}"
        self._passed = found + len(text)

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def wait_until(self, state: str) -> None:
        """Until the system gives it this state: S is asleep, T is stopped. See proc(5)."""
        status = Path(f"/proc/{self._pid}/stat")
        while status.read_text().rpartition(")")[2].split()[0] != state:
            assert self._is_running()
            time.sleep(0.01)

    def go_on(self) -> None:
        """What a stopped command does then."""
        os.kill(self._pid, signal.SIGCONT)

    def _is_running(self) -> bool:
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def finish(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        os.close(self._end)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        ready, _, _ = select.select([self._end], [], [], _LONGEST)
        try:
            chunk = os.read(self._end, 4096) if ready else b""
        except OSError:  # what Linux says when the other end is closed
            chunk = b""
        self.shown += chunk.decode(errors="replace").replace("\r\n", "\n")
        return bool(chunk)
