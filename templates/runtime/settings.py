"""What every service can be told from its environment, and how a wrong setting is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .service import Service

EMBEDDED = "embedded"  # the broker that lives in the service's own database

_ASYNC_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
}

S = TypeVar("S", bound="ServiceSettings")
B = TypeVar("B", bound=BaseSettings)


class ServiceSettings(BaseSettings):
    """Settings from environment variables and `.env`; the service's own class sets the prefix.

    Durations are in seconds. The broker's address and credentials are in the broker's own class.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    broker: str | None = None  # None: the broker the service was generated for
    database_url: SecretStr | None = None
    database_pool_size: int = Field(default=10, ge=2)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)  # 0: any free port

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"  # auto: console on a terminal

    relay: bool = True  # whether `run` moves the outbox too; false when `relay` runs on its own
    drain_timeout: float = Field(default=25.0, gt=0)  # less than what the platform grants
    inbox_retention_days: float = Field(default=14.0, gt=0)  # longer than the broker's retention
    outbox_retention_days: float = Field(default=0.0, ge=0)  # of sent events; 0 keeps none


def load(settings_type: type[S], service: Service, **given: Any) -> S:
    """Read the settings; `given` wins over the environment.

    Raises ConfigurationError naming every variable that is missing or wrong, never its value.
    """
    try:
        return settings_type(**given)
    except ValidationError as error:
        prefix = str(settings_type.model_config.get("env_prefix") or service.env_prefix)
        raise ConfigurationError("; ".join(_explain(error, prefix))) from None


def load_broker(settings_type: type[B], title: str, prefix: str) -> B:
    """Read a broker's own settings, with this prefix; raises what `load` raises."""
    source: dict[str, Any] = {"_env_prefix": prefix}
    try:
        return settings_type(**source)
    except ValidationError as error:
        text = "; ".join(_explain(error, prefix))
        raise ConfigurationError(f"the {title} settings are not complete: {text}") from None


def broker_of(settings: ServiceSettings, service: Service) -> str:
    """The broker to use: the service's own, unless the embedded one is asked for."""
    chosen = settings.broker or service.broker
    if chosen in (service.broker, EMBEDDED):
        return chosen
    known = " or ".join(dict.fromkeys((service.broker, EMBEDDED)))
    raise ConfigurationError(
        f"{service.env_prefix}BROKER is {chosen!r}, but this service can use {known} only"
    )


def database_url_of(settings: ServiceSettings, service: Service) -> str:
    """The database's URL with its async driver; ConfigurationError when there is none."""
    if settings.database_url is None:
        name = f"{service.env_prefix}DATABASE_URL"
        raise ConfigurationError(
            f"{name} is not set: set it to the service's database, for example "
            f"{name}=postgresql://user:password@localhost:5432/{service.package}"
        )
    return async_url(settings.database_url.get_secret_value())


def async_url(url: str) -> str:
    """`postgres://`, `postgresql://` and `sqlite://` with the driver this runtime uses."""
    scheme, separator, rest = url.partition("://")
    return _ASYNC_DRIVERS.get(scheme, scheme) + separator + rest


def _explain(error: ValidationError, prefix: str) -> list[str]:
    """One sentence for each wrong setting. The input is left out: it may be a secret."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        variable = prefix + "_".join(str(part) for part in item["loc"]).upper()
        if item["type"] == "missing":
            found.append(f"{variable} is not set")
        else:  # without a place it is about several of them
            found.append(f"{variable}: {item['msg']}" if item["loc"] else item["msg"])
    return found
