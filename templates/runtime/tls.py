"""TLS with a broker: its settings, and which of them to correct when it fails."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from typing import TYPE_CHECKING

from pydantic import FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings

from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTEN_SECONDS = 2.0

# What Kafka's client has against a certificate it does not say, and what it does say varies.
_EITHER = "{1}SSL_CA_LOCATION must have signed the server's certificate, and {0} be the name in it"
# Words of OpenSSL's, or of a client's, in small letters, and what to do about them; the first that
# fit. `{0}` is the variable with the server's address, `{1}` what the other ones begin with.
_ADVICE = (
    ("mismatch, certificate is not valid", "{0} must name the server as its certificate does"),
    ("certificate has expired", "the server's certificate must be renewed"),
    ("certificate could not be verified", _EITHER),
    ("certificate verify failed:", "{1}SSL_CA_LOCATION must be the authority that has signed it"),
    ("certificate verify failed", _EITHER),
    ("no certificate or crl found", "{1}SSL_CA_LOCATION must be a file of certificates"),
    (
        "key values mismatch",
        "{1}SSL_KEY_LOCATION must be the key of the certificate in {1}SSL_CERTIFICATE_LOCATION",
    ),
    (
        "pem lib",
        "{1}SSL_CERTIFICATE_LOCATION, {1}SSL_KEY_LOCATION or {1}SSL_KEY_PASSWORD is wrong",
    ),
    (
        " alert ",
        "{1}SSL_CERTIFICATE_LOCATION must be a certificate of an authority the server trusts",
    ),
    ("wrong version number", "{0} must be where the server speaks TLS"),
    ("plaintext broker listener", "{0} must be where the server speaks TLS"),
)


class TlsSettings(BaseSettings):
    """Whom to trust, and this service's own certificate where the broker asks for one."""

    ssl_ca_location: FilePath | None = None  # None: the authorities of the operating system
    ssl_certificate_location: FilePath | None = None
    ssl_key_location: FilePath | None = None
    ssl_key_password: SecretStr | None = None

    @property
    def lacks_tls(self) -> str | None:
        """What the connection is made with, when that is not TLS."""
        return None

    @property
    def key_password(self) -> str:
        """Never None: OpenSSL would ask for one on the terminal."""
        return "" if self.ssl_key_password is None else self.ssl_key_password.get_secret_value()

    @model_validator(mode="after")
    def _files_are_used(self) -> TlsSettings:
        given = [name for name in TlsSettings.model_fields if getattr(self, name) is not None]
        if given and self.lacks_tls:
            raise ValueError(f"{given[0]} is of no use with {self.lacks_tls}, which is not TLS")
        if self.ssl_key_location is not None and self.ssl_certificate_location is None:
            raise ValueError("ssl_key_location is of no use without ssl_certificate_location")
        return self

    def tls(self) -> ssl.SSLContext:
        """What connections are made with. Reads the files; raises ssl.SSLError."""
        context = ssl.create_default_context(cafile=self.ssl_ca_location)
        if self.ssl_certificate_location is not None:
            context.load_cert_chain(
                self.ssl_certificate_location, self.ssl_key_location, self.key_password
            )
        return context

    async def refusal(self, error: BaseException, host: str, port: int) -> ssl.SSLError | None:
        """What one side has against the other, when that is why a connection failed."""
        if self.lacks_tls:
            return None
        found = (cause for cause in _chain(error) if isinstance(cause, ssl.SSLError))
        return next(found, None) or await self._complaint(host, port)

    async def _complaint(self, host: str, port: int) -> ssl.SSLError | None:
        """What the server says of this service's certificate.

        It says so after the client has gone on, and that it closes the connection then can be all
        that the client learns. So this one sends nothing, and listens.
        """
        try:
            context = await asyncio.to_thread(self.tls)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            async with asyncio.timeout(_LISTEN_SECONDS):
                reader, writer = await asyncio.open_connection(host, port, ssl=context)
                with closing(writer):
                    await reader.read(1)
        except ssl.SSLError as error:
            return error
        except (OSError, TimeoutError):
            pass
        return None


def explain(error: ssl.SSLError, where: str, address: str, prefix: str) -> ConfigurationError:
    """What went wrong at a place, and what to set.

    `address` is the variable that has the server's address, `prefix` what the others begin with.
    """
    said = str(error).splitlines()[0]
    advice = advise(said, address, prefix) or f"see {prefix}SSL_CA_LOCATION"
    return ConfigurationError(f"{where} cannot be reached with TLS: {said}; {advice}")


def advise(said: str, address: str, prefix: str) -> str | None:
    """What to do about words of OpenSSL's or of a client's; None when they are about more."""
    words = said.lower().replace("_", " ")
    found = (advice for part, advice in _ADVICE if part in words)
    return next((advice.format(address, prefix) for advice in found), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what came before it: not every client says that this was its cause."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__
