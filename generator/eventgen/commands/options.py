"""Options that several commands have."""

from __future__ import annotations

import argparse


def add_allow_remote(parser: argparse.ArgumentParser) -> None:
    """Add `--allow-remote`."""
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="read what `$ref` names on other machines, and lock it in eventgen.lock",
    )
