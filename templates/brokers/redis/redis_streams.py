"""What a service has on Redis: streams, and its groups' bookmarks in them.

Nothing is read through consumer groups: they give a dead consumer's events to the next one after
later events of the same key. A group here is a bookmark, moved after the position in the service's
database. It shows the lag to every tool, and says what may be trimmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from .findings import PartitionLag
from .redis_names import id_of, partitions_key, place_of, stream, time_place
from .transport import Change

# The client's own annotations say of every command that perhaps it cannot be awaited.
Client: TypeAlias = Any

AWAY = (RedisConnectionError, RedisTimeoutError, OSError, TimeoutError)
_BEGINNING = "0"


async def read_partitions(client: Client, base: str) -> int | None:
    """How many streams a channel has; None when nobody has said so yet."""
    found = await client.get(partitions_key(base))
    return None if found is None else int(found)


async def have_partitions(client: Client, base: str, default: int) -> int:
    """The same, but somebody has to be the first to say so."""
    if (known := await read_partitions(client, base)) is not None:
        return known
    await client.set(partitions_key(base), default, nx=True)
    return await read_partitions(client, base) or default


async def provision(
    client: Client,
    bases: Sequence[str],
    groups: Sequence[tuple[str, str]],
    partitions: int,
    *,
    dry_run: bool,
) -> list[Change]:
    """Say how many streams there are with each base, and set bookmarks where there are none."""
    changes = []
    for base in bases:
        if await read_partitions(client, base) is None:
            what = f"create stream {base} ({partitions} partitions)"
            changes.append(Change(what, done=not dry_run))
            if not dry_run:
                await have_partitions(client, base, partitions)
    for base, group in groups:
        many = await read_partitions(client, base) or partitions
        if missing := await _missing(client, base, group, many):
            changes.append(Change(f"create group {group} of stream {base}", done=not dry_run))
            if not dry_run:
                await have_bookmarks(client, base, group, dict.fromkeys(missing, _BEGINNING))
    return changes


async def _missing(client: Client, base: str, name: str, many: int) -> list[int]:
    """The partitions that have no bookmark of this group."""
    groups = await read_bookmarks(client, base, name, range(many))
    return [part for part in range(many) if groups[part] is None]


async def have_bookmarks(client: Client, base: str, name: str, ids: Mapping[int, str]) -> None:
    """Set bookmarks, after the entries with these ids, where the group has none."""
    pipe = client.pipeline(transaction=False)
    for part, id_ in ids.items():
        pipe.xgroup_create(stream(base, part), name, id_, mkstream=True)
    for answer in await pipe.execute(raise_on_error=False):
        if isinstance(answer, Exception) and not str(answer).startswith("BUSYGROUP"):
            raise answer


async def read_groups(
    client: Client, base: str, parts: Sequence[int]
) -> dict[int, list[Mapping[str, Any]]]:
    """All bookmarks of each partition; none where there is no stream."""
    pipe = client.pipeline(transaction=False)
    for part in parts:
        pipe.xinfo_groups(stream(base, part))
    answers = await pipe.execute(raise_on_error=False)
    return {part: list(_there(answer)) for part, answer in zip(parts, answers, strict=True)}


async def read_bookmarks(
    client: Client, base: str, name: str, parts: Sequence[int]
) -> dict[int, Mapping[str, Any] | None]:
    """The bookmark of one group in each partition."""
    groups = await read_groups(client, base, parts)
    wanted = name.encode()
    return {
        part: next((group for group in groups[part] if group["name"] == wanted), None)
        for part in parts
    }


async def lags(client: Client, base: str, group: str, destination: str) -> list[PartitionLag]:
    """How far a group has come, counted in entries since the streams were made.

    A group whose place Redis cannot count is behind by as much as is kept, at most.
    """
    many = await read_partitions(client, base) or 0
    bookmarks = await read_bookmarks(client, base, group, range(many))
    streams = await read_streams(client, base, range(many))
    found = []
    for part, bookmark in bookmarks.items():
        end = int(streams[part].get("entries-added", 0))
        counted = None if bookmark is None else bookmark["lag"]
        lag = int(streams[part].get("length", 0) if counted is None else counted)
        found.append(PartitionLag(destination, part, end - lag, end, lag))
    return found


async def read_streams(
    client: Client, base: str, parts: Sequence[int]
) -> dict[int, Mapping[str, Any]]:
    """What Redis says of each partition; nothing where there is no stream."""
    pipe = client.pipeline(transaction=False)
    for part in parts:
        pipe.xinfo_stream(stream(base, part))
    answers = await pipe.execute(raise_on_error=False)
    return {part: dict(_there(answer)) for part, answer in zip(parts, answers, strict=True)}


async def trim(client: Client, base: str, parts: Sequence[int], kept_from: int) -> None:
    """Remove what every group has passed and was added before `kept_from`, in milliseconds.

    A partition without any group is kept whole: nobody can say who will still want it.
    """
    pipe = client.pipeline(transaction=False)
    for part, groups in (await read_groups(client, base, parts)).items():
        passed = [place_of(group["last-delivered-id"]) for group in groups]
        if passed:
            least = id_of(min(*passed, time_place(kept_from)))
            pipe.xtrim(stream(base, part), minid=least, approximate=True)
    await pipe.execute(raise_on_error=False)


def _there(answer: Any) -> Any:
    """What was answered, but nothing of a stream that is not there."""
    if isinstance(answer, ResponseError) and "no such key" in str(answer):
        return ()
    if isinstance(answer, Exception):
        raise answer
    return answer
