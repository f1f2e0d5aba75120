"""What `deploy/` says to Kubernetes: the service's processes, and by what KEDA scales them.

A broker says what is its own in a `Deployment`: settings, and how to ask it for the lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from textwrap import wrap

from eventgen.model import Text
from eventgen.model.config import Database
from eventgen.plan import build, views
from eventgen.plan.kinds import FileKind, Subject, View

TARGET = 1000  # messages that wait for each process before there is another one
MOST = 10  # processes where the broker sets no limit, for the sake of the database
PORT = 8080  # the image's

_LONGEST_NAME = 40  # of a label's 63 characters: KEDA and Deployments put some of their own to it
_WIDTH = 96  # of a comment
_TEMPLATE = "common/deploy/"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A question of KEDA's to the broker: the type of its scaler, and what that is told."""

    type: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scaling:
    """What KEDA asks, and how many processes have something to do at most."""

    triggers: tuple[Trigger, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a broker adds to the files of Kubernetes.

    `config` are settings that are no secret, with what to begin with, and `secrets` those that are;
    both are named without the service's prefix. `note` says what KEDA asks. `access`
    are the keys of the Secret by which it may; `identity` is whom the platform lets it be instead.
    A broker without `scaling` says in `alone` why one process is all there can be.
    """

    config: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    note: str = ""
    access: tuple[str, ...] = ()
    identity: str = ""
    scaling: Callable[[Subject], Scaling] | None = None
    alone: str = ""

    def files(self) -> tuple[FileKind, ...]:
        """The rows for `deploy/`."""
        kubernetes = partial(kubernetes_view, deployment=self)
        scaling = partial(scaling_view, deployment=self)
        return (
            FileKind(_TEMPLATE + "kubernetes.yaml.j2", "deploy/kubernetes.yaml", kubernetes),
            FileKind(_TEMPLATE + "scaling.yaml.j2", "deploy/scaling.yaml", scaling),
        )


def kubernetes_view(subject: Subject, deployment: Deployment) -> Iterable[View]:
    """For `deploy/kubernetes.yaml`."""
    config, secrets = _settings(subject, deployment)
    prefix = build.env_prefix(subject)
    is_file = subject.config.database is Database.SQLITE
    yield View(
        views.KubernetesView(
            name=object_name(subject),
            service=subject.service.name.kebab,
            config=tuple(_field(prefix + name, value) for name, value in config.items()),
            drain=prefix + "DRAIN_TIMEOUT",
            secrets=tuple(prefix + name for name in secrets),
            strategy="Recreate" if is_file else "RollingUpdate",
            volume=is_file,
            alone=_alone(subject, deployment),
            port=PORT,
        )
    )


def scaling_view(subject: Subject, deployment: Deployment) -> Iterable[View]:
    """For `deploy/scaling.yaml`; nothing where one process is enough, or all there can be."""
    if deployment.scaling is None or _alone(subject, deployment):
        return
    scaling = deployment.scaling(subject)
    identities = (deployment.identity,) if deployment.identity else ()
    asks_as = views.AuthenticationView(deployment.access, identities)
    yield View(
        views.ScalingView(
            name=object_name(subject),
            note=tuple(wrap(deployment.note, _WIDTH)),
            authentications=(asks_as,) if deployment.access or identities else (),
            most=scaling.most,
            triggers=tuple(
                views.TriggerView(
                    trigger.type,
                    tuple(_field(name, value) for name, value in trigger.metadata.items()),
                )
                for trigger in scaling.triggers
            ),
        )
    )


def object_name(subject: Subject) -> str:
    """What the service's objects are called."""
    return subject.service.name.kebab[:_LONGEST_NAME].rstrip("-")


def _settings(
    subject: Subject, deployment: Deployment
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """What is no secret, and the names of what is. The URL of a file tells nothing."""
    if subject.config.database is Database.SQLITE:
        url = f"sqlite:////data/{build.package(subject)}.db"
        return {"DATABASE_URL": url, **deployment.config}, deployment.secrets
    return deployment.config, ("DATABASE_URL", *deployment.secrets)


def _alone(subject: Subject, deployment: Deployment) -> str:
    """Why there is one process; empty when there may be several."""
    if subject.config.database is Database.SQLITE:
        return "the database is a file, and one process has it"
    if deployment.scaling is None:
        return deployment.alone
    if not build.subscribed(subject):
        return "it subscribes to nothing: there is no lag to scale by"
    return ""


def _field(name: str, value: str) -> views.SettingView:
    return views.SettingView(name, Text(value))
