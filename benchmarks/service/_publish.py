"""Events through outbox and relay to the broker, and what the parts of that cost alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from _service import PARTS, Bench, produce

EVENTS = 20_000
EACH = (1, 10, 50)  # events in a transaction
GOAL = 5000  # events a second, end to end
SHARE = 3.0  # times as long as inserting them and then producing them, at most


def publisher(bench: Bench, events: int, each: int) -> subprocess.Popen[str]:
    """A process that commits so many events."""
    return subprocess.Popen(
        [sys.executable, str(PARTS / "publish.py"), str(events), str(each)],
        cwd=bench.project,
        env=bench.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def times(process: subprocess.Popen[str]) -> tuple[float, float]:
    """When it began to commit, and when everything was committed."""
    out, _ = process.communicate()
    began, ended = map(float, out.split())
    return began, ended


def wait(bench: Bench, messages: int) -> float:
    """Wait until so many messages are on the broker and nothing is in the outbox; when that was."""
    while bench.messages() < messages or bench.sql("SELECT 1 FROM outbox LIMIT 1"):
        time.sleep(0.01)
    return time.time()


def rates(bench: Bench, events: int, each: int) -> dict[str, float]:
    """Events a second: committed with no relay, then relayed, then both at once."""
    before = bench.messages()
    began, ended = times(publisher(bench, events, each))
    found = {"insert": events / (ended - began)}
    with bench.service("relay"):
        while (some := bench.messages() - before) == 0:
            time.sleep(0.01)
        began = time.time()
        found["relay"] = (events - some) / (wait(bench, before + events) - began)
        process = publisher(bench, events, each)
        ended = wait(bench, before + 2 * events)
        found["both"] = events / (ended - times(process)[0])
    return found


def publish(bench: Bench, rounds: int) -> None:
    """Measure all in turns; print medians."""
    raw: list[float] = []
    found: dict[int, list[dict[str, float]]] = {each: [] for each in EACH}
    for _ in range(rounds):
        raw.append(EVENTS / produce(bench, bench.other_topic(), EVENTS))
        for each, several in found.items():
            several.append(rates(bench, EVENTS // 4 if each == 1 else EVENTS, each))
    producer = statistics.median(raw)
    print(f"\n{'outbox, relay, broker':<32} {'events/s':>9}   (raw producer: {producer:,.0f})")
    for each, several in found.items():
        middle = {k: statistics.median(one[k] for one in several) for k in several[0]}
        best = 1 / (1 / middle["insert"] + 1 / producer)
        print(
            f"{f'end to end, {each} in a transaction':<32} {middle['both']:>9,.0f}"
            f"   goal {GOAL:,}; insert alone {middle['insert']:,.0f}, relay alone"
            f" {middle['relay']:,.0f}; insert and raw producer {best:,.0f}:"
            f" {best / middle['both']:.1f}x, goal below {SHARE:g}x"
        )
