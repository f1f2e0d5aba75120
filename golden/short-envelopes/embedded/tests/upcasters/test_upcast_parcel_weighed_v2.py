"""From ParcelWeighedV2 to ParcelWeighedV3. This file is yours."""

from __future__ import annotations

from parcels._generated import examples, topology
from parcels._runtime.codec import decode, encode
from parcels.upcasters.parcel_weighed_v2 import upcast


def test_parcel_weighed_v2_becomes_a_valid_newer_event() -> None:
    made = upcast(examples.parcel_weighed_v2())

    assert (
        decode(topology.EVENT_PARCEL_WEIGHED_V3, encode(topology.EVENT_PARCEL_WEIGHED_V3, made))
        == made
    )
