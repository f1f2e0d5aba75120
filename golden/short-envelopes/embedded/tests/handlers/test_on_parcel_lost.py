"""on_parcel_lost in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from parcels._generated import examples
from parcels._runtime.testing import HandlerRunner
from parcels.handlers.on_parcel_lost import on_parcel_lost


async def test_on_parcel_lost_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_parcel_lost, examples.parcel_lost())

    assert published == []
