"""Remote files: what may be reached, what a download may take, and what is locked."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from eventgen.remote import lock, web
from eventgen.remote.reader import Reader
from eventgen.spec.addresses import Refusal

LOOPBACK = web.Limits(seconds=5, size=1000, allows=lambda address: address.is_loopback)


class Handler(BaseHTTPRequestHandler):
    """A server of odd files."""

    def do_GET(self) -> None:
        name = self.path.split("?")[0].strip("/")
        if name.startswith("to-"):
            self.redirect(name)
        elif name == "missing":
            self.send_error(404)
        elif name == "slow":
            self.send_response(200)
            self.end_headers()
            while not self.server.stopped.wait(0.05):
                self.wfile.write(b"x")
        else:
            content = b"x" * 1001 if name == "large" else f"{self.path} for {self.host()}".encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

    def host(self) -> str:
        return self.headers["Host"].partition(":")[0]

    def redirect(self, name: str) -> None:
        target = {
            "to-file": "/file",
            "to-itself": "/to-itself",
            "to-private": "http://10.0.0.1/",
            "to-metadata": "http://169.254.169.254/latest",
            "to-a-file-on-disk": "file:///etc/passwd",
            "to-a-login": "http://me:secret@localhost/",
        }[name]
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """The beginning of its URLs."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.stopped = threading.Event()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://localhost:{made.server_port}"
    made.stopped.set()
    made.shutdown()
    thread.join()
    made.server_close()


def refusal(got: bytes | Refusal) -> str:
    assert isinstance(got, Refusal)
    assert got.name == "remote-reference"
    return got.message


def test_a_file_is_read_from_the_address_that_was_checked(server: str) -> None:
    assert web.get(f"{server}/a b.yaml?x=1&y=%20", LOOPBACK) == (
        b"/a%20b.yaml?x=1&y=%20 for localhost"
    )
    assert web.get(f"{server}/to-file", LOOPBACK) == b"/file for localhost"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "answered 404 Not Found"),
        ("large", "is larger than"),
        ("to-itself", "redirects more than 5 times"),
        ("to-private", "leads to a network that is not public"),
        ("to-metadata", "leads to a network that is not public"),
        ("to-a-file-on-disk", "redirects to what is not a web address"),
        ("to-a-login", "redirects to what is not a web address"),
    ],
)
def test_what_cannot_be_read_is_told_of(server: str, name: str, reason: str) -> None:
    assert reason in refusal(web.get(f"{server}/{name}", LOOPBACK))


def test_a_server_that_dribbles_is_left(server: str) -> None:
    begun = time.monotonic()
    limits = web.Limits(seconds=0.3, size=10**9, allows=LOOPBACK.allows)
    assert "did not arrive within 0.3 seconds" in refusal(web.get(f"{server}/slow", limits))
    assert time.monotonic() - begun < 5


def test_nobody_is_redirected_from_https_to_http() -> None:
    with pytest.raises(web._Refused) as refused:
        web._redirected("https://example.com/x", "http://example.com/x")
    assert refused.value.reason.startswith("redirects to `http`")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "[::1]",
     "[::]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.1.2.3", "192.168.1.1", "100.64.0.1"],
)  # fmt: skip
def test_only_the_internet_is_reached(server: str, host: str) -> None:
    port = server.rpartition(":")[2]
    message = refusal(web.get(f"http://{host}:{port}/file"))
    assert "leads to a network that is not public" in message


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("::ffff:10.0.0.1", False),
        ("::10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:0:0:0:0:80ff:fffe", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
        ("172.16.0.1", False),
    ],
)
def test_an_address_that_stands_for_a_private_one_is_private(address: str, public: bool) -> None:
    assert web.is_public(ipaddress.ip_address(address)) is public


def test_one_private_address_among_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (place, 80)) for place in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(web.socket, "getaddrinfo", lambda *_, **__: found)
    assert "not public" in refusal(web.get("http://example.com/x"))


def test_a_name_is_looked_up_once(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer, given when the first was found harmless, would lead elsewhere."""
    asked = []
    real = web.socket.getaddrinfo

    def answer(host: str, *more: object, **named: object) -> object:
        if not host.replace(".", "").isdigit():
            asked.append(host)
        return real("127.0.0.1" if host == "rebound.test" else host, *more, **named)

    monkeypatch.setattr(web.socket, "getaddrinfo", answer)
    url = server.replace("localhost", "rebound.test") + "/file"
    assert web.get(url, LOOPBACK) == b"/file for rebound.test"
    assert asked == ["rebound.test"]


@pytest.mark.parametrize(
    "url", ["http://nowhere.invalid/x", "http://localhost:1/x", "http://" + "x" * 300 + ".com/"]
)
def test_a_connection_that_fails_is_told_of(url: str) -> None:
    assert "cannot be read: " in refusal(web.get(url, LOOPBACK))


URL = "https://example.com/order.yaml"


def web_of(content: bytes) -> Callable[[str], bytes | Refusal]:
    return lambda _url: content


def test_what_was_read_once_is_read_again_without_the_web(tmp_path: Path) -> None:
    first = Reader({}, tmp_path, web_of(b"a: 1"))
    assert first(URL) == b"a: 1"
    locked = lock.parse(lock.dump(first.used))
    assert Reader(locked, tmp_path, None)(URL) == b"a: 1"


def test_nothing_is_read_from_the_web_by_itself(tmp_path: Path) -> None:
    assert "without being allowed" in refusal(Reader({}, tmp_path, None)(URL))
    (tmp_path / lock.lock(b"a: 1").sha256).write_bytes(b"a: 1")
    assert "without being allowed" in refusal(Reader({}, tmp_path, None)(URL))


def test_what_is_locked_and_not_cached_may_be_read_once_more(tmp_path: Path) -> None:
    locked = {URL: lock.lock(b"a: 1")}
    assert "this machine has not read it yet" in refusal(Reader(locked, tmp_path, None)(URL))
    assert Reader(locked, tmp_path, web_of(b"a: 1"))(URL) == b"a: 1"
    assert Reader(locked, tmp_path, None)(URL) == b"a: 1"


def test_what_changed_is_refused(tmp_path: Path) -> None:
    reader = Reader({URL: lock.lock(b"a: 1")}, tmp_path, web_of(b"a: 2"))
    got = reader(URL)
    assert "is not what it was when it was locked" in refusal(got)
    assert isinstance(got, Refusal)
    assert "eventgen.lock" in (got.help or "")
    assert reader.used == {}
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_somebody_changed_is_not_believed(tmp_path: Path) -> None:
    locked = {URL: lock.lock(b"a: 1")}
    (tmp_path / locked[URL].sha256).write_bytes(b"a: 2")
    assert "has not read it yet" in refusal(Reader(locked, tmp_path, None)(URL))
    assert Reader(locked, tmp_path, web_of(b"a: 1"))(URL) == b"a: 1"


def test_a_lock_names_no_file_outside_the_cache(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"a: 1")
    cache = tmp_path / "cache"
    cache.mkdir()
    locked = {URL: lock.Locked("../secret", 4)}
    assert "has not read it yet" in refusal(Reader(locked, cache, None)(URL))


def test_a_specification_cannot_ask_for_files_without_end() -> None:
    reader = Reader({}, None, web_of(b"a: 1"))
    got = [reader(f"{URL}?{number}") for number in range(301)]
    assert "one of more than 300 remote files" in refusal(got[-1])
    assert sum(isinstance(one, bytes) for one in got) == 300


def test_a_lock_is_sorted_and_read_back() -> None:
    locked = {f"https://example.com/{name}": lock.lock(name.encode()) for name in "cab"}
    text = lock.dump(locked)
    assert lock.parse(text) == locked
    assert list(json.loads(text)["remote"]) == sorted(locked)
    assert lock.dump(dict(sorted(locked.items()))) == text


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "<<<<<<< HEAD", '{"version": 2, "remote": {}}', '{"version": 1, "remote": []}',
     '{"version": 1, "remote": {"x": {}}}', '{"version": 1, "remote": {"x": 1}}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_lock_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        lock.parse(text)
