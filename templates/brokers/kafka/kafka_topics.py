"""Topics: which ones a destination means, whether they are there, creating those that are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from .errors import ConfigurationError
from .transport import Change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .service import Channel

_log = structlog.get_logger("eventgen.kafka")

_SECONDS = 15.0

# A parameter stands for one part of a topic's name: anything but the dot that separates the parts.
_PARAMETER = re.compile(r"\{[^{}]*\}")


def pattern(destination: str) -> str:
    """What to subscribe to: the topic, or for `{parameters}` a regular expression with `^`."""
    if not _PARAMETER.search(destination):
        return destination
    fixed = (part.replace(".", "\\.") for part in _PARAMETER.split(destination))
    return "^" + "[A-Za-z0-9_-]+".join(fixed) + "$"


def is_there(client: Producer, topic: str, seconds: float) -> bool:
    """Whether the cluster has the topic. KafkaException when it does not answer."""
    found = client.list_topics(topic, timeout=seconds).topics.get(topic)
    return found is not None and (
        found.error is None or found.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART
    )


def provision(
    config: Mapping[str, Any],
    channels: Sequence[Channel],
    defaults: Mapping[str, int],
    *,
    dry_run: bool,
) -> Sequence[Change]:
    """Create the topics that are missing. Blocks; call it in a thread.

    A channel's options `partitions`, `replicas` and `config` win over `defaults`. What exists stays
    as it is: more partitions would move keys to other partitions and break their order.
    """
    admin = AdminClient({**config, "log_level": 4})  # must live until the futures are done
    try:
        existing = admin.list_topics(timeout=_SECONDS).topics
    except KafkaException as error:
        admin.poll(0)  # whoever listens to its errors hears why
        raise ConfigurationError(f"Kafka does not answer: {error.args[0].str()}") from error
    topics = wanted(channels, defaults)
    for name in sorted(topics.keys() & existing.keys()):
        _compare(topics[name], len(existing[name].partitions))
    missing = [topics[name] for name in sorted(topics.keys() - existing.keys())]
    if not missing or dry_run:
        return [Change(_describe(topic), done=False) for topic in missing]
    futures = admin.create_topics(missing, operation_timeout=_SECONDS)
    changes = []
    for topic in missing:
        try:
            futures[topic.topic].result(2 * _SECONDS)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                continue  # somebody else was quicker
            raise ConfigurationError(
                f"Kafka refuses to {_describe(topic)}: {error.args[0].str()}"
            ) from error
        changes.append(Change(_describe(topic), done=True))
    return changes


def wanted(channels: Sequence[Channel], defaults: Mapping[str, int]) -> dict[str, NewTopic]:
    """The topics of these channels, by name; those whose names have parameters are not known."""
    return {c.destination: _topic(c, defaults) for c in channels if _is_plain(c)}


def _is_plain(channel: Channel) -> bool:
    if _PARAMETER.search(channel.destination):
        _log.warning(
            "kafka.not_provisioned",
            channel=channel.name,
            topic=channel.destination,
            why="its name has parameters: create the topics it stands for yourself",
        )
        return False
    return True


def _topic(channel: Channel, defaults: Mapping[str, int]) -> NewTopic:
    options = channel.options
    return NewTopic(
        channel.destination,
        num_partitions=int(options.get("partitions") or defaults["partitions"]),
        replication_factor=int(options.get("replicas") or defaults["replicas"]),
        config={key: _value(value) for key, value in (options.get("config") or {}).items()},
    )


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _describe(topic: NewTopic) -> str:
    replicas = topic.replication_factor
    copies = "the broker's default replicas" if replicas < 0 else _count(replicas, "replica")
    config = "".join(f", {key}={value}" for key, value in sorted((topic.config or {}).items()))
    partitions = _count(topic.num_partitions, "partition")
    return f"create topic {topic.topic} ({partitions}, {copies}{config})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _compare(wanted: NewTopic, partitions: int) -> None:
    if partitions != wanted.num_partitions:
        _log.info(
            "kafka.topic_left_as_it_is",
            topic=wanted.topic,
            partitions=partitions,
            wanted=wanted.num_partitions,
        )
