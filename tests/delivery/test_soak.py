"""A minute of everything failing at random; `benchmarks/service/soak.py` goes on for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.service import soak


def test_the_seed_alone_makes_the_schedule() -> None:
    assert soak.schedule(7, 60) == soak.schedule(7, 60)
    assert soak.schedule(7, 60) != soak.schedule(8, 60)
    assert soak.schedule(7, 600)[: len(soak.schedule(7, 60))] == soak.schedule(7, 60)


@pytest.mark.parametrize("seed", range(20))
def test_a_minute_has_room_for_every_kind_of_fault(seed: int) -> None:
    faults = soak.schedule(seed, 60)
    assert {fault.what for fault in faults} == set(soak.FAULTS)
    assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)


@pytest.mark.servers
def test_a_minute_of_faults_loses_doubles_and_reorders_nothing(
    tmp_path: Path, own_kafka: object, own_postgres: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with soak.service(tmp_path, own_kafka, own_postgres) as running:
        counts = soak.run(running, 1, 60, print)
        assert soak.verdict(counts) == [], running.service.logs()
        assert counts.placed > 500, "there was something to lose"
    assert "seed 1," in capsys.readouterr().out
