"""Reads one file from the web, and only from the web: never from a network that is not public.

A specification is untrusted, so its addresses must not reach what only this machine can reach.
Every address that a name stands for is checked, and the connection goes to the one that was
checked: a name that is looked up again could stand for another. The same holds for redirects.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from eventgen import __version__
from eventgen.spec.addresses import Refusal
from eventgen.spec.source import LARGEST

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
# Networks of IPv6 whose addresses end in one of IPv4, which is where they lead.
_ENDS_IN_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48")))
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"eventgen/{__version__}"}


def is_public(address: Address) -> bool:
    """Whether an address is on the internet, also the IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in _ENDS_IN_IPV4):
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if not all(is_public(one) for one in inner if one is not None):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Limits:
    """What one download may take. `allows` says which addresses may be connected to."""

    seconds: float = 20.0
    size: int = LARGEST  # bytes
    allows: Callable[[Address], bool] = is_public


class _Refused(Exception):  # noqa: N818 - it is told to the user, not raised at them
    """The download ends here: `reason` completes a sentence that begins with the URL."""

    def __init__(self, reason: str, remedy: str = "check the address") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def get(url: str, limits: Limits = Limits()) -> bytes | Refusal:
    """The content behind a URL, or why there is none."""
    results: queue.SimpleQueue[bytes | Refusal] = queue.SimpleQueue()
    # A thread, because nothing else ends the lookup of a name, or a server that dribbles.
    threading.Thread(
        target=lambda: results.put(_outcome(url, limits)), name="eventgen-remote", daemon=True
    ).start()
    try:
        return results.get(timeout=limits.seconds)
    except queue.Empty:
        reason = f"did not arrive within {limits.seconds:g} seconds"
        return _refusal(url, reason, "try again, or save the file and refer to it by its path")


def _outcome(url: str, limits: Limits) -> bytes | Refusal:
    try:
        return _follow(url, limits)
    except _Refused as refused:
        return _refusal(url, refused.reason, refused.remedy)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # ValueError: a host name that cannot be written in ASCII
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return _refusal(url, f"cannot be read: {reason}", "check the address and the connection")


def _refusal(url: str, reason: str, remedy: str) -> Refusal:
    return Refusal("remote-reference", f"`{url}` {reason}", remedy)


def _follow(url: str, limits: Limits) -> bytes:
    at = url
    for _ in range(_MOST_REDIRECTS + 1):
        parts = urlsplit(at)
        connection = _connection(parts, limits)
        try:
            connection.request("GET", _target(parts), headers=_HEADERS)
            response = connection.getresponse()
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                return _content(response, limits)
        finally:
            connection.close()
        at = _redirected(at, location)
    raise _Refused(f"redirects more than {_MOST_REDIRECTS} times")


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    parts = urlsplit(target)
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise _Refused("redirects to what is not a web address")
    if url.startswith("https:") and parts.scheme != "https":
        raise _Refused("redirects to `http`, which anybody between could change")
    return target


def _connection(parts: SplitResult, limits: Limits) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places = [str(one[4][0]).partition("%")[0] for one in found]
    if not all(limits.allows(ipaddress.ip_address(place)) for place in places):
        raise _Refused(
            "leads to a network that is not public",
            "save the file beside the specification and refer to it by its path",
        )
    # Connected here, so that `http.client` does not look the name up a second time.
    connection = http.client.HTTPConnection(host, parts.port)
    connection.sock = _connected(places, port, limits)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
    return connection


def _connected(places: list[str], port: int, limits: Limits) -> socket.socket:
    """A connection to the first of the addresses that takes one."""
    refused: OSError = OSError("it has no address")
    for place in places:
        try:
            return socket.create_connection((place, port), limits.seconds)
        except OSError as error:
            refused = error
    raise refused


def _target(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe="%/:=&?~#+!$,;'@()*[]")


def _content(response: http.client.HTTPResponse, limits: Limits) -> bytes:
    if response.status != http.HTTPStatus.OK:
        raise _Refused(f"answered {response.status} {response.reason}".rstrip())
    content = response.read(limits.size + 1)
    if len(content) > limits.size:
        raise _Refused(f"is larger than {limits.size // (1024 * 1024)} MB")
    return content
