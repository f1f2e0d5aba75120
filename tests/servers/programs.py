"""Programs of the distribution that tests run: they are there, or come by apt."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from tests.servers.base import Missing, apt_install


@dataclass(frozen=True, slots=True)
class Program:
    """A program by the names it may have, and the package that brings it."""

    package: str
    commands: tuple[str, ...]

    def find(self) -> str:
        """Where it is. Missing if it is nowhere."""
        for name in self.commands:
            found = shutil.which(name)
            if found is not None:
                return found
        raise Missing(f"{self.package}: not on PATH. Run `python -m tests.servers install`")

    def install(self) -> str:
        """Install it by apt."""
        try:
            return self.find()
        except Missing:
            apt_install(self.package)
            return self.find()


# Fetches the official schemas of AsyncAPI, and the checker of a page's accessibility.
NPM = Program("npm", ("npm",))
# Looks at pages.
CHROMIUM = Program("chromium", ("chromium", "chromium-browser", "google-chrome"))
