"""`eventgen completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import argparse

from eventgen.commands.exits import Exit

_EPILOG = """\
examples:
  eval "$(eventgen completion bash)"    in ~/.bashrc
  eval "$(eventgen completion zsh)"     in ~/.zshrc, after compinit
  eventgen completion fish > ~/.config/fish/completions/eventgen.fish"""


def parser(prog: str) -> argparse.ArgumentParser:
    """SHELL."""
    made = argparse.ArgumentParser(
        prog=prog,
        description="Print what makes a shell complete commands and options.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("shell", choices=["bash", "zsh", "fish"], help="which shell")
    return made


def run(options: argparse.Namespace) -> Exit:
    """Print the code."""
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - `--help` does without

    print(shellcode(["eventgen"], shell=options.shell))
    return Exit.OK
