"""Options that several commands have."""

from __future__ import annotations

import argparse

from eventgen.commands.show import Volume


def add_volume(parser: argparse.ArgumentParser) -> None:
    """Add `--quiet` and `--verbose`, which every command has."""
    parser.set_defaults(volume=Volume.NORMAL)
    group = parser.add_mutually_exclusive_group()
    for volume, short, long, told in (
        (Volume.QUIET, "-q", "--quiet", "say nothing but findings and errors"),
        (Volume.VERBOSE, "-v", "--verbose", "say also what was read and how long it took"),
    ):
        group.add_argument(
            short, long, dest="volume", action="store_const", const=volume, help=told
        )


def add_allow_remote(parser: argparse.ArgumentParser) -> None:
    """Add `--allow-remote`."""
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="read what `$ref` names on other machines, and lock it in eventgen.lock",
    )
