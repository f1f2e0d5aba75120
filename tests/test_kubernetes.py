"""`deploy/kubernetes.yaml` and `deploy/scaling.yaml`: whole, and in the runtime's own words.

What they refer to is there, what they set the service reads, and KEDA asks for the lag where the
runtime says it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from eventgen import pipeline
from eventgen.brokers import discover
from eventgen.model.config import Config, Database
from eventgen.plan import build
from eventgen.plan.broker import Broker
from eventgen.plan.kinds import Subject
from eventgen.plan.plan import plan
from eventgen.render.run import render
from pydantic_settings import BaseSettings

from tests.support.generate import SPECS
from tests.support.runtime import importable
from tests.test_observability import misread

importable()

from runtime import cli, health, kafka_topics, nats_names, rabbitmq_names, redis_names, sqs_names  # noqa: E402
from runtime.service import Channel, Service, Subscription  # noqa: E402
from runtime.settings import ServiceSettings  # noqa: E402

BROKERS = [name for name, broker in discover().items() if broker.templates is None]
SPEC_NAMES = sorted(path.stem for path in SPECS.glob("*.yaml"))
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
KUBERNETES, SCALING = "deploy/kubernetes.yaml", "deploy/scaling.yaml"
CLOSING = 18  # seconds that a process may need beyond its drain timeout: runtime.app says so

Document = dict[str, Any]


class Files(NamedTuple):
    """What is said of one service, and the service itself as the runtime knows it."""

    text: str  # of both
    given: str  # of `kubernetes.yaml`
    documents: list[Document]
    scaling: list[Document]
    service: Service

    def one(self, kind: str) -> Document:
        [found] = (each for each in (*self.documents, *self.scaling) if each["kind"] == kind)
        return found

    def pod(self) -> Document:
        spec: Document = self.one("Deployment")["spec"]["template"]["spec"]
        return spec


@cache
def files(spec: Path, broker: str, database: Database = Database.POSTGRES) -> Files:
    chosen = discover()[broker]
    config = Config(spec.name, broker, database)
    checked = pipeline.check(spec, config, chosen, spec.name)
    assert checked.service is not None
    subject = Subject(checked.service, config)
    planned = tuple(each for each in plan(subject, chosen) if each.path in (KUBERNETES, SCALING))
    made = {each.path: each.text for each in render(planned, (), None)}
    text, scaling = made[KUBERNETES], made.get(SCALING, "")
    return Files(
        text + scaling,
        text,
        list(yaml.safe_load_all(text)),
        list(yaml.safe_load_all(scaling)),
        known(subject, chosen),
    )


def known(subject: Subject, broker: Broker) -> Service:
    """The service as `topology.py` and `subscribers.py` will tell the runtime of it."""
    [topology] = build.topology_view(subject, broker)
    [subscribers] = build.subscribers_view(subject)
    [told] = build.service_view(subject, broker)
    channels = {
        each.const: Channel(
            each.name.value,
            each.address.value,
            each.destination.value,
            ordering=each.ordering,
            options=each.options,
        )
        for each in topology.value.channels
    }
    subscriptions = tuple(
        Subscription(each.name, channels[each.channel], ())
        for each in subscribers.value.subscriptions
    )
    return Service(
        name=told.value.name,
        version="1",
        package=told.value.package,
        broker=broker.name,
        transport=lambda *_: pytest.fail("nothing is connected"),
        subscriptions=subscriptions,
    )


def broker_settings(broker: str) -> type[BaseSettings] | None:
    """The broker's own settings in the runtime; the embedded one has none."""
    module = import_module(f"runtime.{discover()[broker].transport}")
    classes = [each for each in vars(module).values() if isinstance(each, type)]
    own = (each for each in classes if each.__module__ == module.__name__)
    return next((each for each in own if issubclass(each, BaseSettings)), None)


def variables(service: Service) -> dict[str, Any]:
    """The field behind every environment variable of a service."""
    own = {service.env_prefix: ServiceSettings}
    if (theirs := broker_settings(service.broker)) is not None:
        own[f"{service.env_prefix}{service.broker.upper()}_"] = theirs
    return {
        prefix + name.upper(): field
        for prefix, settings in own.items()
        for name, field in settings.model_fields.items()
    }


def default(broker: str, name: str) -> Any:
    settings = broker_settings(broker)
    assert settings is not None
    return settings.model_fields[name].default


# what is said, for every specification and broker -----------------------------------------------


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=SPEC_NAMES)
def said(request: pytest.FixtureRequest, broker: str) -> Files:
    return files(SPECS / f"{request.param}.yaml", broker)


def test_it_is_whole(said: Files) -> None:
    assert problems(said) == []


def problems(said: Files) -> list[str]:
    found = [f"{name} is no label" for name in set(names(said)) if not LABEL.fullmatch(name)]
    pod = said.pod()
    template = said.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    for kind, selector in selectors(said):
        if not selector.items() <= template.items():
            found.append(f"the {kind} selects other pods")
    there = {(each["kind"], each["metadata"]["name"]) for each in said.documents + said.scaling}
    found += [f"there is no {kind} {name}" for kind, name in references(said) - there]
    mounted = {volume["name"] for volume in pod["volumes"]}
    for container in containers(pod):
        used = {mount["name"] for mount in container["volumeMounts"]}
        found += [f"{container['name']} mounts {name}" for name in used - mounted]
    return found


def names(said: Files) -> Iterator[str]:
    for each in said.documents + said.scaling:
        yield each["metadata"]["name"]
    yield from (container["name"] for container in containers(said.pod()))
    if said.scaling:
        yield "keda-hpa-" + said.one("ScaledObject")["metadata"]["name"]


def selectors(said: Files) -> Iterator[tuple[str, dict[str, str]]]:
    yield "Service", said.one("Service")["spec"]["selector"]
    yield "Deployment", said.one("Deployment")["spec"]["selector"]["matchLabels"]


def references(said: Files) -> set[tuple[str, str]]:
    pod = said.pod()
    found = {("ServiceAccount", pod["serviceAccountName"])}
    for source in (source for container in containers(pod) for source in container["envFrom"]):
        if "configMapRef" in source:
            found.add(("ConfigMap", source["configMapRef"]["name"]))
    for volume in pod["volumes"]:
        if "persistentVolumeClaim" in volume:
            found.add(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
    if said.scaling:
        spec = said.one("ScaledObject")["spec"]
        found.add(("Deployment", spec["scaleTargetRef"]["name"]))
        found |= {
            ("TriggerAuthentication", trigger["authenticationRef"]["name"])
            for trigger in spec["triggers"]
            if "authenticationRef" in trigger
        }
    return found


def containers(pod: Document) -> list[Document]:
    return [*pod["initContainers"], *pod["containers"]]


def test_the_service_reads_what_it_is_given(said: Files) -> None:
    read = variables(said.service)
    name = re.compile(rf"\b{said.service.env_prefix}[A-Z_]+\b")
    assert set(name.findall(said.text)) - read.keys() == set()
    required = {name for name, field in read.items() if field.is_required()}
    given = set(name.findall(said.given))
    assert {f"{said.service.env_prefix}DATABASE_URL"} | required <= given


def test_nothing_secret_is_in_the_files(said: Files) -> None:
    data = said.one("ConfigMap")["data"]
    secret = {n for n, f in variables(said.service).items() if "SecretStr" in str(f.annotation)}
    assert secret & data.keys() == set()
    assert "Secret" not in {each["kind"] for each in said.documents + said.scaling}
    assert re.findall(r"://[^\s/@]+:[^\s/@]+@", said.text) == []


def test_pods_are_restricted(said: Files) -> None:
    """By the restricted standard of https://kubernetes.io/docs/concepts/security."""
    pod = said.pod()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(pod):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_it_runs_commands_and_asks_paths_that_there_are(said: Files) -> None:
    pod = said.pod()
    commands = cli.command(said.service, ServiceSettings).commands
    assert [each["args"] for each in containers(pod)] == [["migrate"], ["provision"], ["run"]]
    assert {each["args"][0] for each in containers(pod)} <= commands.keys()
    paths = {route.path for route in health.routes(lambda: pytest.fail("nobody asks"))}
    [run] = pod["containers"]
    [port] = run["ports"]
    for probe, path in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert run[probe]["httpGet"] == {"path": path, "port": port["name"]}
        assert path in paths


def test_there_is_time_to_drain(said: Files) -> None:
    drain = said.one("ConfigMap")["data"][f"{said.service.env_prefix}DRAIN_TIMEOUT"]
    assert float(drain) == ServiceSettings.model_fields["drain_timeout"].default
    assert said.pod()["terminationGracePeriodSeconds"] >= float(drain) + CLOSING


def test_what_is_set_is_what_would_be_set_anyway(said: Files) -> None:
    """Triggers rest on these numbers: who changes one sees that it stands in both places."""
    fields = variables(said.service)
    numbers = {n: v for n, v in said.one("ConfigMap")["data"].items() if v.isdigit()}
    assert numbers == {name: f"{fields[name].default:g}" for name in numbers}


# the lag, in the runtime's own words ------------------------------------------------------------

Asked = list[dict[str, str]]


def kafka(service: Service) -> tuple[Asked, int]:
    channels = [subscription.channel for subscription in service.subscriptions]
    plain = {
        c.destination for c in channels if kafka_topics.pattern(c.destination) == c.destination
    }
    asked = [{"consumerGroup": service.name, "topic": topic} for topic in sorted(plain)]
    if any(channel.destination not in plain for channel in channels):
        asked.append({"consumerGroup": service.name})
    made = kafka_topics.wanted(
        channels, {"partitions": default("kafka", "partitions"), "replicas": 1}
    )
    patterns = [
        channel.options.get("partitions", default("kafka", "partitions"))
        for channel in channels
        if channel.destination not in plain
    ]
    return asked, max([topic.num_partitions for topic in made.values()] + patterns)


def rabbitmq(service: Service) -> tuple[Asked, int]:
    names = rabbitmq_names.Names(service, "events", default("rabbitmq", "queues"))
    queues = [names.queues_of(each, service.name) for each in service.subscriptions]
    free = any(each.channel.ordering == "none" for each in service.subscriptions)
    return (
        [{"queueName": queue} for several in queues for queue in several],
        10 if free else names.queues,
    )


def redis(service: Service) -> tuple[Asked, int]:
    names = redis_names.Names(service, default("redis", "key_prefix"))
    partitions = default("redis", "partitions")
    asked = [
        {
            "stream": redis_names.stream(names.base(each.channel.destination), part),
            "consumerGroup": redis_names.group_name(each, service.name),
        }
        for each in service.subscriptions
        for part in range(partitions)
    ]
    return asked, partitions


def sqs(service: Service) -> tuple[Asked, int]:
    queues = [sqs_names.queue_name(each, service.name) for each in service.subscriptions]
    return [{"queueURL": queue} for queue in queues], 10


def nats(service: Service) -> tuple[Asked, int]:
    queries = [
        f'sum(eventgen_consumer_lag{{job="{service.name}",subscription="{each.name}"}})'
        for each in service.subscriptions
    ]
    assert [problem for query in queries for problem in misread(query)] == []
    return [{"query": query} for query in queries], nats_names.PARTITIONS


EXPECTED: dict[str, Callable[[Service], tuple[Asked, int]]] = {
    "kafka": kafka,
    "nats": nats,
    "rabbitmq": rabbitmq,
    "redis": redis,
    "sqs": sqs,
}
TYPES = {
    "kafka": "kafka",
    "nats": "prometheus",
    "rabbitmq": "rabbitmq",
    "redis": "redis-streams",
    "sqs": "aws-sqs-queue",
}
# What https://keda.sh/docs/scalers says of each: what must be there, and what else may.
METADATA = {
    "kafka": (
        {"bootstrapServersFromEnv", "consumerGroup", "lagThreshold"},
        {"offsetResetPolicy", "topic", "version"},
    ),
    "prometheus": ({"serverAddress", "query", "threshold"}, set()),
    "rabbitmq": ({"hostFromEnv", "queueName", "mode", "value"}, set()),
    "redis-streams": ({"stream", "consumerGroup", "lagCount"}, set()),
    "aws-sqs-queue": ({"queueURL", "queueLength", "awsRegion"}, set()),
}


def test_every_broker_was_thought_of() -> None:
    assert {*EXPECTED, "embedded"} == set(BROKERS)


def test_the_lag_is_asked_for_where_it_is(said: Files, broker: str) -> None:
    if broker not in EXPECTED or not said.service.subscriptions:
        assert said.scaling == []
        assert said.one("Deployment")["spec"]["replicas"] == 1
        return
    assert "replicas" not in said.one("Deployment")["spec"]  # they are KEDA's
    asked, most = EXPECTED[broker](said.service)
    spec = said.one("ScaledObject")["spec"]
    told = [trigger["metadata"] for trigger in spec["triggers"]]
    words = {word for metadata in asked for word in metadata}
    assert {trigger["type"] for trigger in spec["triggers"]} == {TYPES[broker]}
    assert by_text({w: m[w] for w in words if w in m} for m in told) == by_text(asked)
    assert spec["maxReplicaCount"] == most
    assert spec["minReplicaCount"] == 1
    required, allowed = METADATA[TYPES[broker]]
    for metadata in told:
        assert required <= metadata.keys() <= required | allowed
        assert all(isinstance(value, str) for value in metadata.values())


def by_text(
    found: Iterator[dict[str, str]] | Sequence[dict[str, str]],
) -> list[list[tuple[str, str]]]:
    return sorted(sorted(each.items()) for each in found)


# what few specifications have -------------------------------------------------------------------


@pytest.mark.parametrize("spec", SPEC_NAMES)
def test_a_database_in_a_file_has_one_process_and_a_volume(spec: str, broker: str) -> None:
    said = files(SPECS / f"{spec}.yaml", broker, Database.SQLITE)
    assert problems(said) == []
    assert said.scaling == []
    deployment = said.one("Deployment")["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    url = said.one("ConfigMap")["data"][f"{said.service.env_prefix}DATABASE_URL"]
    assert url == f"sqlite:////data/{said.service.package}.db"
    assert all(
        {"name": "data", "mountPath": "/data"} in c["volumeMounts"] for c in containers(said.pod())
    )


def test_long_names_are_cut_where_they_must_be(tmp_path: Path, broker: str) -> None:
    spec = tmp_path / "long.yaml"
    name, channel = "service-" + "of-orders-" * 6 + "x", "channel." + "of.orders." * 6 + "x"
    spec.write_text(
        f"eventgen: 1\nservice: {name}\n"
        f"subscribes:\n  {channel}: {{version: 1.0.0, key: id, data: {{id: uuid}}}}\n"
    )
    said = files(spec, broker)
    assert len(said.service.name) > 63
    assert problems(said) == []
    if broker in EXPECTED:
        test_the_lag_is_asked_for_where_it_is(said, broker)


def test_partitions_of_a_topic_are_the_most_there_can_be(tmp_path: Path) -> None:
    spec = tmp_path / "asyncapi.yaml"
    spec.write_text(
        "asyncapi: 3.0.0\ninfo: {title: Shop, version: 1.0.0}\n"
        "channels:\n"
        "  orders:\n    address: orders\n"
        "    messages: {order.placed: {payload: {type: object}}}\n"
        "    bindings: {kafka: {partitions: 24}}\n"
        "operations:\n  take: {action: receive, channel: {$ref: '#/channels/orders'}}\n"
    )
    assert files(spec, "kafka").one("ScaledObject")["spec"]["maxReplicaCount"] == 24


def test_mistakes_are_seen() -> None:
    said = deepcopy(files(SPECS / "orders.yaml", "kafka"))
    said.one("Service")["spec"]["selector"] = {"app": "orders"}
    said.one("ScaledObject")["spec"]["scaleTargetRef"]["name"] = "Orders"
    said.one("ServiceAccount")["metadata"]["name"] = "Orders"
    said.pod()["volumes"].clear()
    assert len(problems(said)) == 7, problems(said)
