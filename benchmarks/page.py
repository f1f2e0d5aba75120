"""How long `eventgen docs` takes to write a page, and a browser to show it.

    python benchmarks/page.py [SPEC [ROUNDS]]

Needs Chromium. Prints medians and the goal, which is for the largest documents that people have;
asserts nothing.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from _timing import Case, seconds

ROOT = Path(__file__).parents[1]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "generator")]

from tests.support.browser import Browser  # noqa: E402  - found just now

GOAL = 2.0  # seconds until it is shown
# Milliseconds from the request to the end of what the page does when it is loaded.
_SHOWN = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def main(spec: Path, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="eventgen-bench-") as folder:
        here = Path(folder)
        command = (sys.executable, "-m", "eventgen", "docs", str(spec.resolve()), "-o", "page.html")
        case = Case("docs", command)
        written = [seconds(case, here) for _ in range(rounds)]
        shown = []
        browser = Browser(here / "chromium")
        try:
            for _ in range(rounds):
                browser.open(here / "page.html")
                shown.append(browser.evaluate(_SHOWN) / 1000)
        finally:
            browser.close()
        size = (here / "page.html").stat().st_size
    print(f"written in {statistics.median(written):.2f} s, {size / 1000:.0f} kB")
    print(f"shown in   {statistics.median(shown):.2f} s (goal {GOAL:.2f} s)")


if __name__ == "__main__":
    arguments = (*sys.argv[1:], *(str(ROOT / "specs/good/orders.yaml"), "9")[len(sys.argv) - 1 :])
    main(Path(arguments[0]), int(arguments[1]))
