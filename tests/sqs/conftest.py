"""Makes the package `runtime` before the tests of this folder import it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests.support.runtime import importable

importable()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The default of the log shows every local variable of a traceback, however large."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()
