"""Who a service is on NATS, by a file: a user's credentials, or the seed of an nkey.

The files are exchanged while a service runs, so they are read for each connection. The client would
read a file without credentials for ever.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nats.aio.client import RawCredentials

if TYPE_CHECKING:
    from pathlib import Path

_SEED = r"SU[A-Z2-7]{56}"
_NKEY = re.compile(rf"\s*{_SEED}\s*")
_CREDENTIALS = re.compile(
    rf".*BEGIN NATS USER JWT-+\s+[\w.-]+\s.*BEGIN USER NKEY SEED-+\s+{_SEED}\s.*", re.DOTALL
)


def read_credentials(path: Path) -> dict[str, Any]:
    """What the client is given. ValueError when the file has no credentials."""
    text = _read(path, _CREDENTIALS, "a user's JWT and the seed of its key, as `nsc` writes them")
    return {"user_credentials": RawCredentials(text)}


def read_seed(path: Path) -> dict[str, Any]:
    """What the client is given. ValueError when the file has no seed."""
    return {
        "nkeys_seed_str": _read(path, _NKEY, "the seed of a user's key, SU... as `nk` makes it")
    }


def _read(path: Path, form: re.Pattern[str], what: str) -> str:
    if find_spec("nkeys") is None:
        raise ValueError("this needs the package nkeys: have the service depend on nats-py[nkeys]")
    text = path.read_text(encoding="utf-8", errors="replace")
    if not form.fullmatch(text):
        raise ValueError(f"the file must hold {what}")
    return text
