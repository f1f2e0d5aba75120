"""on_parcel_weighed in isolation: a real database, no broker. This file is yours."""

from __future__ import annotations

from parcels._generated import examples
from parcels._runtime.testing import HandlerRunner
from parcels.handlers.on_parcel_weighed import on_parcel_weighed


async def test_on_parcel_weighed_takes_the_example(handle: HandlerRunner) -> None:
    published = await handle(on_parcel_weighed, examples.parcel_weighed_v3())

    assert published == []
