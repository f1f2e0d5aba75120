"""A script that sets a cluster up for a service with Kafka's own tools: topics, and ACLs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .kafka_topics import wanted

if TYPE_CHECKING:
    from confluent_kafka.cimpl import NewTopic

    from .service import Service

_HEAD = """\
#!/bin/sh
# What the service {name} needs on Kafka: its topics, and what {user} must be allowed. What is there
# already stays as it is. Run it with the cluster's tools in the PATH, BOOTSTRAP_SERVERS set, and
# CONFIG naming a file of properties with the rights of an administrator.
set -eu
tool() {{ name=$1; shift
  "$name" --bootstrap-server "$BOOTSTRAP_SERVERS" --command-config "$CONFIG" "$@"
}}
topics() {{ tool kafka-topics.sh "$@"; }}
acls() {{ tool kafka-acls.sh "$@"; }}

"""


def script(service: Service, group: str, user: str, defaults: Mapping[str, int]) -> str:
    """The script for a service whose consumers are in `group`, and who is `user` on the cluster.

    `defaults` are those of topics, as `provision` has them.
    """
    topics = [_create(topic) for _, topic in sorted(wanted(service.channels, defaults).items())]
    lines = [*topics, *_allow(service, group, user)]
    return _HEAD.format(name=service.name, user=user) + "\n".join(lines) + "\n"


def _create(topic: NewTopic) -> str:
    words = ["topics", "--create", "--if-not-exists", "--topic", topic.topic]
    words += ["--partitions", str(topic.num_partitions)]
    if topic.replication_factor > 0:
        words += ["--replication-factor", str(topic.replication_factor)]
    for name, value in sorted((topic.config or {}).items()):
        words += ["--config", f"{name}={value}"]
    return shlex.join(words)


def _allow(service: Service, group: str, user: str) -> Iterator[str]:
    """An idempotent producer needs no more than to write, since Kafka 3.0."""
    published = {publication.channel.destination for publication in service.publications}
    consumed = {subscription.channel.destination for subscription in service.subscriptions}
    for destination in sorted(published):
        yield _acl(user, ("Write", "Describe"), _topics(destination))
    for destination in sorted(consumed):
        yield _acl(user, ("Read", "Describe"), _topics(destination))
    if consumed:
        yield _acl(user, ("Read",), ["--group", group])


def _topics(destination: str) -> Sequence[str]:
    """Of a name with parameters, every topic that begins as it does: ACLs know no more."""
    prefix, parameter, _ = destination.partition("{")
    if not parameter:
        return ["--topic", destination]
    if not prefix:
        return ["--topic", "*"]
    return ["--topic", prefix, "--resource-pattern-type", "prefixed"]


def _acl(user: str, operations: Sequence[str], resource: Sequence[str]) -> str:
    allowed = [word for operation in operations for word in ("--operation", operation)]
    principal = ["--allow-principal", f"User:{user}"]
    return shlex.join(["acls", "--add", *principal, *allowed, *resource])
