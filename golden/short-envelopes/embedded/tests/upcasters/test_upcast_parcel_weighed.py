"""From ParcelWeighed to ParcelWeighedV2. This file is yours."""

from __future__ import annotations

from parcels._generated import examples, topology
from parcels._runtime.codec import decode, encode
from parcels.upcasters.parcel_weighed import upcast


def test_parcel_weighed_becomes_a_valid_newer_event() -> None:
    made = upcast(examples.parcel_weighed())

    assert (
        decode(topology.EVENT_PARCEL_WEIGHED_V2, encode(topology.EVENT_PARCEL_WEIGHED_V2, made))
        == made
    )
