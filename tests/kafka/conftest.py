"""Makes the package `runtime` before the tests of this folder import it."""

from __future__ import annotations

from tests.support.runtime import importable

importable()
