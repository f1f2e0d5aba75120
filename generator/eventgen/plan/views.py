"""What templates print: frozen values in which every decision has been taken.

Strings here are Python identifiers, literals already chosen by us, or `Text` that a filter must
quote. A template that wants to choose between two words is missing a field here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eventgen.model import Schema, Text


@dataclass(frozen=True, slots=True)
class PackageView:
    """A file that needs to know only which service it belongs to."""

    package: str
    service: str


@dataclass(frozen=True, slots=True)
class ComposeView:
    """The containers of `compose.yaml`."""

    package: str
    service: str
    env_prefix: str
    postgres: bool


@dataclass(frozen=True, slots=True)
class SettingView:
    """A name, and the value it is given."""

    name: str
    value: Text


@dataclass(frozen=True, slots=True)
class KubernetesView:
    """`deploy/kubernetes.yaml`. `name` is that of all objects."""

    name: str
    service: str  # its command
    config: tuple[SettingView, ...]  # environment variables
    drain: str  # the one that says how long a process may take to end
    secrets: tuple[str, ...]  # those that a Secret holds
    strategy: str
    volume: bool  # whether the database is a file
    alone: str  # why there is one process; empty when there may be several
    port: int


@dataclass(frozen=True, slots=True)
class AuthenticationView:
    """How KEDA may ask: by a Secret with these keys, or as whom the platform knows."""

    keys: tuple[str, ...]
    identities: tuple[str, ...]  # at most one


@dataclass(frozen=True, slots=True)
class TriggerView:
    """A trigger of KEDA's."""

    type: str
    metadata: tuple[SettingView, ...]


@dataclass(frozen=True, slots=True)
class ScalingView:
    """`deploy/scaling.yaml`."""

    name: str
    note: tuple[str, ...]  # lines
    authentications: tuple[AuthenticationView, ...]  # at most one
    most: int
    triggers: tuple[TriggerView, ...]


@dataclass(frozen=True, slots=True)
class ModelsView:
    """The pydantic models of every schema."""

    schemas: tuple[Schema, ...]
    payloads: frozenset[str]  # names of the schemas that are whole messages
    foreign: frozenset[str]  # names of those of payloads that are not JSON on the wire
    base: str  # dotted path of the base class


@dataclass(frozen=True, slots=True)
class ChecksView:
    """The schemas that say more than their models."""

    document: Any  # `$defs`, as plain data


@dataclass(frozen=True, slots=True)
class WireView:
    """A payload that is not JSON on the wire: the call that makes its codec."""

    module: str  # of the runtime
    class_name: str
    arguments: tuple[Any, ...]  # plain data


@dataclass(frozen=True, slots=True)
class PathView:
    """An attribute of an event, and the property of the payload that carries it."""

    name: str
    path: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class EnvelopeView:
    """An envelope that differs from the default: a function of `wrapping.py` and its arguments."""

    function: str
    paths: tuple[PathView, ...]


@dataclass(frozen=True, slots=True)
class EventView:
    """One kind of event."""

    const: str
    class_name: str
    type: Text
    version: Text
    key: tuple[Text, ...]
    content_type: Text
    checks: tuple[str, ...]  # name of the schema that is checked too; empty: the model says it all
    wires: tuple[WireView, ...]  # at most one; none for JSON
    envelopes: tuple[EnvelopeView, ...]  # empty: the default


@dataclass(frozen=True, slots=True)
class ExampleView:
    """An example of one kind of event."""

    const: str
    function: str
    class_name: str
    sample: Any  # a valid payload, as plain data


@dataclass(frozen=True, slots=True)
class ExamplesView:
    """An example of each event."""

    events: tuple[ExampleView, ...]


@dataclass(frozen=True, slots=True)
class ParameterView:
    """One parameter of an address, and the payload property that carries it."""

    name: Text
    path: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel."""

    const: str
    name: Text
    address: Text
    destination: Text
    description: Text
    ordering: str
    parameters: tuple[ParameterView, ...]
    options: Any  # the author's binding for this broker, as plain data


@dataclass(frozen=True, slots=True)
class TopologyView:
    """The events and channels of the service, as they are on the wire."""

    events: tuple[EventView, ...]
    channels: tuple[ChannelView, ...]
    schemas: tuple[str, ...]  # the file of the schemas that are checked too; empty: there is none
    modules: tuple[str, ...]  # of the runtime, that are needed for some events only
    siblings: tuple[str, ...]  # modules beside it


@dataclass(frozen=True, slots=True)
class WiresView:
    """The codecs of events that are not JSON on the wire."""

    imports: tuple[WireView, ...]  # one for each module
    events: tuple[EventView, ...]


@dataclass(frozen=True, slots=True)
class PublicationView:
    """One event this service publishes, and where to."""

    event: str  # constants in topology.py
    channel: str


@dataclass(frozen=True, slots=True)
class PublishersView:
    """What the service publishes."""

    published: str  # the type of what may be published, as Python
    typing_names: tuple[str, ...]
    class_names: tuple[str, ...]
    publications: tuple[PublicationView, ...]


@dataclass(frozen=True, slots=True)
class RouteView:
    """One event and its handler."""

    event: str
    class_name: str
    handler: str  # module and function have one name


@dataclass(frozen=True, slots=True)
class UpcasterView:
    """A version of an event that is made into the next, and the test of that."""

    package: str
    module: str  # in upcasters/
    const: str  # in subscribers.py
    event: str  # constants in topology.py
    old: str  # classes in events.py
    new: str
    newer: str


@dataclass(frozen=True, slots=True)
class StepView:
    """The route of an older version. `const` and `newer` are constants in subscribers.py."""

    const: str
    newer: str
    upcaster: UpcasterView


@dataclass(frozen=True, slots=True)
class ChainView:
    """An event whose versions have one handler: the route of the newest, and of the others."""

    const: str
    event: str
    class_name: str
    handler: str
    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True)
class RetryView:
    """A retry policy that differs from the default, as keyword arguments."""

    attempts: int
    initial: float
    factor: float
    maximum: float


@dataclass(frozen=True, slots=True)
class HandlingView:
    """How a subscription's handlers run, as keyword arguments."""

    concurrency: int
    batch: int
    timeout: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """The events of one channel the service handles."""

    name: str
    channel: str
    routes: tuple[RouteView, ...]
    shared: tuple[str, ...]  # constants of routes to a handler of several versions
    retry: tuple[RetryView, ...]  # empty: the default
    handling: tuple[HandlingView, ...]  # empty: the default


@dataclass(frozen=True, slots=True)
class SubscribersView:
    """What the service handles."""

    handlers: tuple[str, ...]
    class_names: tuple[str, ...]
    chains: tuple[ChainView, ...]
    subscriptions: tuple[SubscriptionView, ...]


@dataclass(frozen=True, slots=True)
class ServiceView:
    """The one value the runtime starts from."""

    name: str
    package: str
    version: Text
    title: Text
    broker: str
    transport_module: str


@dataclass(frozen=True, slots=True)
class HandlerView:
    """One handler and its test."""

    package: str
    handler: str
    function: str
    class_name: str
    type: Text
    description: Text


@dataclass(frozen=True, slots=True)
class ConfigView:
    """`eventgen.yaml`."""

    service: str
    spec: Text
    broker: str
    database: str
    perspectives: tuple[str, ...]  # empty: the document is not 2.x


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert of Prometheus. `hold` is how long its query must hold: `2m`."""

    name: str
    query: Text
    hold: str
    severity: str
    summary: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class QueryView:
    """One line of a panel. `comma` stands between it and the next."""

    ref: str
    query: Text
    legend: Text
    comma: str


@dataclass(frozen=True, slots=True)
class PanelView:
    """One panel of the dashboard, its place in the grid, and the comma before the next."""

    id: int
    title: str
    unit: str
    column: int
    row: int
    width: int
    height: int
    queries: tuple[QueryView, ...]
    comma: str


@dataclass(frozen=True, slots=True)
class ObservabilityView:
    """What stands in `deploy/observability/`."""

    service: str
    alert_prefix: str
    alerts: tuple[AlertView, ...]
    panels: tuple[PanelView, ...]
