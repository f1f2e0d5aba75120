"""An authority of a test's own, a server's certificate and a client's, as files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

NAME = "localhost"  # what the server's certificate is for, and no address
PASSWORD = "s3cret-of-the-key"  # of the client's key

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files lie. The names in the folder are the same for every server."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    @property
    def server(self) -> Path:
        """The server's certificate."""
        return self.folder / "server.pem"

    @property
    def server_key(self) -> Path:
        """The key of the server's certificate."""
        return self.folder / "server.key"

    @property
    def client(self) -> Path:
        """A client's certificate."""
        return self.folder / "client.pem"

    @property
    def client_key(self) -> Path:
        """The key of the client's certificate."""
        return self.folder / "client.key"


def make(folder: Path) -> Certificates:
    """Write everything into a new folder, for every user of this machine to read."""
    folder.mkdir(mode=0o755)
    made = Certificates(folder)
    authority = _Authority()
    made.ca.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    authority.issue(NAME, made.server, made.server_key, NoEncryption())
    authority.issue(
        "orders", made.client, made.client_key, BestAvailableEncryption(PASSWORD.encode())
    )
    return made


class _Authority:
    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("an authority of the tests")
        usage = {
            "key_cert_sign": True,
            "crl_sign": True,
            "digital_signature": False,
            "content_commitment": False,
            "key_encipherment": False,
            "data_encipherment": False,
            "key_agreement": False,
            "encipher_only": False,
            "decipher_only": False,
        }
        self.certificate = (
            _begun(self._name, self._key)
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def issue(
        self, name: str, to: Path, key_to: Path, encryption: KeySerializationEncryption
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _begun(_named(name), key)
            .issuer_name(self._name)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        to.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_to.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
