"""Whether Redis is set up to keep what it confirms, and whether its streams are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from redis.exceptions import NoPermissionError, ResponseError

from .errors import ConfigurationError
from .findings import Finding
from .redis_names import id_of, place_of, stream, time_place
from .redis_streams import Client, read_groups, read_partitions, read_streams

About: TypeAlias = Mapping[str, Any]  # what a server says of itself

_OLDEST = (7, 0)  # counts what is added to a stream
_WAITS_FOR_DISKS = (7, 2)
_LATE_SECONDS = 3600.0  # that a stream may keep more than its retention


async def read_server(client: Client) -> About | None:
    """What the server says of itself, with `appendfsync` when it may be asked; None if nothing."""
    try:
        about = dict(await client.info())
    except NoPermissionError:
        return None
    try:
        about |= await client.config_get("appendfsync")
    except ResponseError:
        about["appendfsync"] = "unknown"
    return about


def require(about: About, *, wait_fsync: bool) -> None:
    """Raise ConfigurationError when this server cannot do what the service needs."""
    version = str(about.get("redis_version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if about.get("redis_mode") == "cluster":
        raise ConfigurationError(
            "this Redis is a cluster: the service needs one primary, with replicas if you like"
        )
    if numbers < _OLDEST:
        raise ConfigurationError(f"Redis {version} is too old: 7.0 or later is needed")
    if wait_fsync and numbers < _WAITS_FOR_DISKS:
        raise ConfigurationError(
            f"Redis {version} cannot say when events are on the disk: WAIT_FSYNC needs 7.2 or "
            "later, or set appendfsync always on the server"
        )


def losses(
    about: About | None, prefix: str, *, wait_fsync: bool, wait_replicas: int
) -> Iterator[Finding]:
    """What this server can lose of what it has confirmed; `prefix` is that of the variables."""
    if about is None:
        yield Finding(
            "Redis does not say whether it keeps what it confirms",
            "allow this service to ask: INFO, and CONFIG GET",
        )
        return
    if about.get("role") != "master":
        yield Finding(
            "this Redis is a replica: nothing can be written", f"point {prefix}URL at the primary"
        )
    if not about.get("aof_enabled"):
        yield Finding(
            "Redis keeps no append-only file: a crash loses what it confirmed since its last "
            "snapshot, if it makes any",
            "set appendonly yes and appendfsync always",
        )
    elif (sync := about["appendfsync"]) != "always" and not wait_fsync:
        yield Finding(
            f"Redis's appendfsync is {sync}: a loss of power loses what it confirmed in the last "
            f"{'second' if sync == 'everysec' else 'seconds'}",
            f"set appendfsync always, or {prefix}WAIT_FSYNC=true (Redis 7.2 or later)",
        )
    if str(about.get("maxmemory_policy", "")).startswith("allkeys"):
        yield Finding(
            f"Redis's maxmemory-policy is {about['maxmemory_policy']}: when memory is short, it "
            "deletes events that nobody has handled",
            "set maxmemory-policy noeviction",
        )
    if about.get("connected_slaves") and not wait_replicas:
        yield Finding(
            "Redis confirms events before its replicas have them: a failover can lose some",
            f"set {prefix}WAIT_REPLICAS=1",
        )


async def unread(client: Client, bases: Sequence[str], retention: float) -> list[Finding]:
    """The streams that grow because nobody reads them, or one group does not."""
    now, _ = await client.time()
    late = time_place(int((now - retention - _LATE_SECONDS) * 1000))
    findings = []
    for base in bases:
        many = range(await read_partitions(client, base) or 0)
        groups = await read_groups(client, base, many)
        streams = await read_streams(client, base, many)
        events = sum(about.get("length", 0) for about in streams.values())
        if events and not any(groups.values()):
            findings.append(
                Finding(
                    f"stream {base} has no reader: it keeps all its {events} events",
                    "provision a service that subscribes to it",
                )
            )
        behind = {
            group["name"].decode()
            for part in many
            for group in groups[part]
            if await _has_before(client, stream(base, part), group["last-delivered-id"], late)
        }
        findings += [
            Finding(
                f"stream {base} keeps old events, as group {name} has not handled them",
                "start its service; if it is gone for good, XGROUP DESTROY the group in "
                f"{stream(base, 0)} and in every other of its partitions",
            )
            for name in sorted(behind)
        ]
    return findings


async def _has_before(client: Client, name: str, after: bytes, late: int) -> bool:
    """Whether a stream has an entry from before `late` behind this one."""
    begin = place_of(after) + 1
    return begin < late and bool(await client.xrange(name, id_of(begin), id_of(late), count=1))
