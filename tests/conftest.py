"""What every test may use."""

from __future__ import annotations

import importlib.util

pytest_plugins = [
    name
    for name in ("tests.servers.fixtures", "tests.golden_plugin")
    if importlib.util.find_spec(name)
]
