"""A page in headless Chromium, driven through the pipe of its debugging protocol."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.servers.programs import CHROMIUM

_LONGEST = 180  # seconds an answer may take on a busy machine
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--no-first-run", "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


class Browser:
    """One Chromium with one page. `logged` is what its console and its network complained of."""

    def __init__(self, folder: Path) -> None:
        self.logged: list[str] = []
        self.requested: list[str] = []
        self._last = 0
        self._rest = b""
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        # It reads commands at 3 and answers at 4, whatever the pipes are called here.
        shell = f'exec 3<&{commands} 4>&{answers}; exec "$0" "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, CHROMIUM.find(), *_FLAGS,
             f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def open(self, page: Path, scheme: str = "light") -> None:
        """Show a file, and wait until it is there."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.logged.clear()
        self.requested.clear()
        self.call("Page.navigate", url=page.as_uri())
        deadline = time.monotonic() + _LONGEST
        ready = "document.readyState === 'complete' && location.protocol === 'file:'"
        while not self.evaluate(ready):
            assert time.monotonic() < deadline, "the page did not load"

    def evaluate(self, expression: str) -> Any:
        """The value of JavaScript in the page, once it is there."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def call(self, method: str, **params: Any) -> Any:
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self._write, rest) :]
        while (answer := self._next()).get("id") != self._last:
            self._notice(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], _LONGEST)
            chunk = os.read(self._read, 1 << 20) if ready else b""
            assert chunk, "Chromium does not answer"
            self._rest += chunk
        first, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(first)
        return found

    def _notice(self, event: dict[str, Any]) -> None:
        match event:
            case {"method": "Runtime.exceptionThrown" | "Runtime.consoleAPICalled"}:
                self.logged.append(json.dumps(event["params"]))
            case {"method": "Log.entryAdded", "params": {"entry": entry}}:
                self.logged.append(entry["text"])
            case {"method": "Network.requestWillBeSent", "params": {"request": request}}:
                self.requested.append(request["url"])
