"""What the cluster says about topics and groups, for `lag` and `doctor`. All of it blocks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource  # the package exports it without saying so

from .findings import Finding, PartitionLag, nobody_consumes
from .kafka_topics import pattern

if TYPE_CHECKING:
    from confluent_kafka.admin._metadata import TopicMetadata

    from .service import Service

_SECONDS = 15.0
_AGAIN = 0.2
# What is new, or was restarted, has for a moment no leader or coordinator that answers.
_NOT_YET = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
_TOPIC, _BROKER = ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER
_REPLICAS = 3  # of which one may be lost and one be restarted
_IN_SYNC = "min.insync.replicas"
_UNCLEAN = "unclean.leader.election.enable"
_RETENTION = "retention.ms"
_AUTO_CREATE = "auto.create.topics.enable"

Settings = Mapping[str, str]
T = TypeVar("T")


def lags(config: Mapping[str, Any], destination: str, group: str) -> Sequence[PartitionLag]:
    """How far the group has come in every partition of the topics a destination means.

    A group that has not begun begins with the oldest message. Raises KafkaException.
    """
    client = Consumer({**config, "group.id": group})  # it joins only if it subscribes
    try:
        topics = _meant(client.list_topics(timeout=_SECONDS).topics, destination)
        places = [
            TopicPartition(name, number)
            for name, topic in sorted(topics.items())
            for number in sorted(topic.partitions)
        ]
        committed = client.committed(places, timeout=_SECONDS) if places else []
        return [_lag(client, place) for place in committed]
    finally:
        client.close()


def _lag(client: Consumer, place: TopicPartition) -> PartitionLag:
    begin, end = _ends(client, place)
    position = max(place.offset, begin)  # negative: nothing was committed yet
    return PartitionLag(place.topic, place.partition, position, end, max(0, end - position))


def _ends(client: Consumer, place: TopicPartition) -> tuple[int, int]:
    return _answer(lambda: client.get_watermark_offsets(place, timeout=_SECONDS))


def _answer(ask: Callable[[], T]) -> T:
    """What the cluster answers, as soon as it can. Raises KafkaException."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _NOT_YET or time.monotonic() > until:
                raise
            time.sleep(_AGAIN)


def examine(
    config: Mapping[str, Any], service: Service, group: str, inbox_seconds: float
) -> Sequence[Finding]:
    """What does not fit the promises. Raises KafkaException."""
    admin = AdminClient(dict(config))
    cluster = admin.list_topics(timeout=_SECONDS)
    topics = {
        channel.destination: cluster.topics[channel.destination]
        for channel in service.channels
        if channel.destination in cluster.topics
    }
    settings = _settings(admin, [ConfigResource(_TOPIC, name) for name in topics])
    consumed = {subscription.channel.destination for subscription in service.subscriptions}
    findings: list[Finding] = []
    for name, topic in sorted(topics.items()):
        replicas = min((len(p.replicas) for p in topic.partitions.values()), default=0)
        findings += _copies(name, replicas, len(cluster.brokers), settings[name])
        if name in consumed:
            findings += _retention(service, name, inbox_seconds, settings[name])
    brokers = _settings(admin, [ConfigResource(_BROKER, str(number)) for number in cluster.brokers])
    findings += _creating(service, brokers)
    findings += _consumers(admin, service, group)
    return findings


def _copies(name: str, replicas: int, brokers: int, settings: Settings) -> Iterator[Finding]:
    wanted = min(_REPLICAS, brokers)  # one broker can hold no second copy
    in_sync = int(settings.get(_IN_SYNC, "1"))
    if replicas < wanted:
        yield Finding(
            f"topic {name} has {replicas} of {wanted} replicas: a lost disk loses events",
            "add replicas (kafka-reassign-partitions.sh)",
        )
    elif replicas >= _REPLICAS and in_sync < _REPLICAS - 1:
        yield Finding(
            f"topic {name} has {_IN_SYNC}={in_sync}: one broker alone may confirm an event",
            f"set {_IN_SYNC}=2 on the topic",
        )
    if replicas > 1 and in_sync >= replicas:
        yield Finding(
            f"topic {name} has {_IN_SYNC}={in_sync} of {replicas} replicas: "
            "nothing can be published while one broker is away",
            f"set {_IN_SYNC}={replicas - 1} on the topic",
        )
    if settings.get(_UNCLEAN) == "true":
        yield Finding(
            f"topic {name} has {_UNCLEAN}=true: a broker that missed events may become the leader",
            f"set {_UNCLEAN}=false on the topic",
        )


def _retention(
    service: Service, name: str, inbox_seconds: float, settings: Settings
) -> Iterator[Finding]:
    """A topic that keeps everything (-1) is kept for replays, which name a group of their own."""
    seconds = int(settings.get(_RETENTION, "-1")) / 1000
    if seconds > inbox_seconds:
        days, inbox = seconds / 86400, inbox_seconds / 86400
        yield Finding(
            f"topic {name} keeps events for {days:.3g} days, the inbox remembers them for "
            f"{inbox:.3g}: an older one that comes again is handled again",
            f"set {service.env_prefix}INBOX_RETENTION_DAYS to {days:.3g} or more",
        )


def _creating(service: Service, brokers: Mapping[str, Settings]) -> Iterator[Finding]:
    if any(settings.get(_AUTO_CREATE) == "true" for settings in brokers.values()):
        yield Finding(
            "the brokers create topics by themselves, with settings nobody chose",
            f"set {_AUTO_CREATE}=false; `{service.name} provision` creates what is needed",
        )


def _consumers(admin: AdminClient, service: Service, group: str) -> Iterator[Finding]:
    def describe() -> Any:  # a ConsumerGroupDescription
        return admin.describe_consumer_groups([group], request_timeout=_SECONDS)[group].result()

    taken = {
        place.topic
        for member in _answer(describe).members
        for place in member.assignment.topic_partitions
    }
    for subscription in service.subscriptions:
        topic = re.compile(pattern(subscription.channel.destination))
        if not any(topic.fullmatch(name) for name in taken):
            yield nobody_consumes(service, subscription.name)


def _meant(topics: Mapping[str, TopicMetadata], destination: str) -> Mapping[str, TopicMetadata]:
    wanted = pattern(destination)
    if wanted == destination:
        return {name: topic for name, topic in topics.items() if name == destination}
    return {name: topic for name, topic in topics.items() if re.fullmatch(wanted, name)}


def _settings(admin: AdminClient, asked: Sequence[ConfigResource]) -> dict[str, Settings]:
    """The settings of topics or brokers, by name."""
    if not asked:
        return {}
    answers = admin.describe_configs(list(asked), request_timeout=_SECONDS)
    return {
        resource.name: {entry.name: str(entry.value) for entry in future.result().values()}
        for resource, future in answers.items()
    }
