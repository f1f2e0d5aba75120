"""`eventgen brokers`: what there is to choose from."""

from __future__ import annotations

import argparse

from eventgen.brokers import discover
from eventgen.commands import show
from eventgen.commands.exits import Exit

_EPILOG = """\
examples:
  eventgen brokers
  eventgen new service --broker embedded    the first column is what other commands call it

The broker of a project stands in its eventgen.yaml: edit it, then run `eventgen update`."""


def parser(prog: str) -> argparse.ArgumentParser:
    """No arguments."""
    return argparse.ArgumentParser(
        prog=prog,
        description="List the brokers and what each can do.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(_options: argparse.Namespace) -> Exit:
    """Print the table."""
    rows = [("NAME", "BROKER", "ORDER", "REPLAY FROM", "LARGEST MESSAGE")]
    for broker in discover().values():
        can = broker.capabilities
        size = "no limit" if can.max_message_bytes is None else f"{can.max_message_bytes:,} bytes"
        rows.append((broker.name, broker.title, can.ordering, can.replay, size))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    show.say("\nnext: `eventgen new service --broker NAME`")
    return Exit.OK
