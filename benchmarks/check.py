"""How long `eventgen check` takes, beside `asyncapi validate` in the same run where there is Node.

    python benchmarks/check.py [ROUNDS]

The documents are made here: one of 20 channels, one of 1,000 messages. `asyncapi validate` is
installed through npm into the cache folder, once. Asserts nothing.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from _timing import Case, in_turns, report

PEER = "@asyncapi/cli@6.2.0"
GOAL = 7  # times as fast as the peer

_HEAD = """\
asyncapi: 3.0.0
info: {title: Benchmark, version: 1.0.0}
"""
_CHANNEL = """\
  channel{n}:
    address: shop.entity{n}.events
    messages:
{refs}
"""
_OPERATION = """\
  onChannel{n}:
    action: {action}
    channel: {{$ref: '#/channels/channel{n}'}}
"""
_MESSAGE = """\
    Event{n}:
      name: shop.entity.happened{n}
      payload:
        type: object
        required: [id, at, total]
        properties:
          id: {{type: string, format: uuid}}
          at: {{type: string, format: date-time}}
          total: {{$ref: '#/components/schemas/Money'}}
          note: {{type: string, maxLength: 200, description: Something that was said about it}}
          lines:
            type: array
            items:
              type: object
              required: [sku, count]
              properties:
                sku: {{type: string, pattern: '^[A-Z]{{3}}-[0-9]+$'}}
                count: {{type: integer, minimum: 1}}
"""
_SCHEMAS = """\
  schemas:
    Money:
      type: object
      required: [amount, currency]
      properties:
        amount: {type: number}
        currency: {type: string, enum: [EUR, USD, GBP]}
"""


def document(channels: int, messages_each: int) -> str:
    """A valid AsyncAPI 3 document of so many channels, each with so many messages of its own."""
    numbers = range(channels * messages_each)
    refs = [
        "\n".join(
            f"      Event{n}: {{$ref: '#/components/messages/Event{n}'}}"
            for n in numbers[channel * messages_each : (channel + 1) * messages_each]
        )
        for channel in range(channels)
    ]
    parts = [_HEAD, "channels:\n"]
    parts += [_CHANNEL.format(n=n, refs=refs[n]) for n in range(channels)]
    parts.append("operations:\n")
    parts += [_OPERATION.format(n=n, action=("send", "receive")[n % 2]) for n in range(channels)]
    parts.append("components:\n  messages:\n")
    parts += [_MESSAGE.format(n=n) for n in numbers]
    parts.append(_SCHEMAS)
    return "".join(parts)


def peer() -> Path | None:
    """The peer's command, installed when it is not there yet; None without npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    folder = Path.home() / ".cache" / "eventgen" / "benchmarks"
    command = folder / "node_modules" / ".bin" / "asyncapi"
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        install = (npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", PEER)
        subprocess.run(install, check=True, capture_output=True)
    return command


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="eventgen-bench-") as folder:
        root = Path(folder)
        (root / "small.yaml").write_text(document(20, 2))
        (root / "large.yaml").write_text(document(50, 20))
        check = (sys.executable, "-m", "eventgen", "check")
        cases = [
            Case("python -c pass", (sys.executable, "-c", "pass")),
            Case("check, 20 channels", (*check, "small.yaml"), 0.3),
            Case("check, 1,000 messages", (*check, "large.yaml"), 2.0),
        ]
        validate = peer()
        if validate is not None:
            cases.append(
                Case("asyncapi validate, 20 channels", (str(validate), "validate", "small.yaml"))
            )
        times = in_turns(cases, root, rounds)
        report(cases, times)
        if validate is not None:
            ours, theirs = (statistics.median(times[cases[n].name]) for n in (1, 3))
            print(f"20 channels: {theirs / ours:.1f} times as fast as the peer, goal {GOAL}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
