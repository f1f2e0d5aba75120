"""`--allow-remote` as a user meets it: what is locked, and what works without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from eventgen import cli
from eventgen.commands import regenerate
from eventgen.remote import web
from eventgen.spec.addresses import Refusal

OK, FINDINGS, INVALID = 0, 1, 3
URL = "https://schemas.example.com/order.yaml"
ORDER = "type: object\nrequired: [id]\nproperties: {id: {type: string}}\n"
SPEC = f"""\
asyncapi: 3.0.0
info: {{title: Orders, version: 1.0.0}}
channels:
  orders:
    address: orders
    messages:
      orderPlaced:
        x-eventgen: {{key: id}}
        payload: {{$ref: '{URL}'}}
operations:
  send:
    action: send
    channel: {{$ref: '#/channels/orders'}}
"""


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """What the web holds, by URL; nothing of it is read yet."""
    contents = {URL: ORDER}

    def get(url: str) -> bytes | Refusal:
        if url in contents:
            return contents[url].encode()
        return Refusal("remote-reference", f"`{url}` answered 404")

    monkeypatch.setattr(web, "get", get)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return contents


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a command beside a specification."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(folder)
    return lambda *arguments: int(cli._guarded(arguments))


def test_a_remote_reference_is_locked_once_and_then_read_offline(
    run: Callable[..., int], network: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", "spec.yaml") == INVALID
    assert "allow it with `--allow-remote`" in capsys.readouterr().out
    assert not Path("eventgen.lock").exists()
    assert run("check", "spec.yaml", "--allow-remote") == OK
    text = Path("eventgen.lock").read_text()
    assert list(json.loads(text)["remote"]) == [URL]
    network.clear()
    assert run("check", "spec.yaml") == OK
    assert run("check", "spec.yaml", "--allow-remote") == OK
    assert Path("eventgen.lock").read_text() == text


def test_what_changed_behind_a_url_is_accepted_by_unlocking_it(
    run: Callable[..., int],
    network: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert run("check", "spec.yaml", "--allow-remote") == OK
    text = Path("eventgen.lock").read_text()
    network[URL] = ORDER + "description: new\n"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert run("check", "spec.yaml") == INVALID
    assert "this machine has not read it yet" in capsys.readouterr().out
    assert run("check", "spec.yaml", "--allow-remote") == INVALID
    assert "is not what it was when it was locked" in capsys.readouterr().out
    assert Path("eventgen.lock").read_text() == text
    Path("eventgen.lock").unlink()
    assert run("check", "spec.yaml", "--allow-remote") == OK
    assert Path("eventgen.lock").read_text() != text


def test_a_lock_that_was_not_merged_is_refused(
    run: Callable[..., int], network: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("eventgen.lock").write_text("<<<<<<< HEAD\n")
    assert run("check", "spec.yaml", "--allow-remote") == INVALID
    assert "eventgen.lock cannot be used" in capsys.readouterr().err


def test_a_project_carries_its_lock(
    run: Callable[..., int], network: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = ("new", "service", "orders", "--spec", "spec.yaml", "--broker", "embedded")
    assert run(*new) == INVALID
    assert not Path("orders").exists()
    assert run(*new, "--allow-remote") == OK
    assert not Path("eventgen.lock").exists()
    monkeypatch.chdir("orders")
    old = Path("eventgen.lock").read_bytes()
    network[URL] = "type: object\n"
    assert run("generate", "--check") == OK
    # A second schema appears: it is read and locked, and the first stays what it was.
    other = URL.replace("order", "address")
    network[other] = "type: string\n"
    spec = Path("spec.yaml")
    spec.write_text(
        SPEC.replace(
            f"{{$ref: '{URL}'}}",
            f"{{type: object, required: [id], properties: {{id: {{type: string}}, "
            f"one: {{$ref: '{URL}'}}, other: {{$ref: '{other}'}}}}}}",
        )
    )
    assert run("generate") == INVALID
    assert run("generate", "--check", "--allow-remote") == FINDINGS
    assert run("generate", "--dry-run", "--allow-remote") == OK
    assert Path("eventgen.lock").read_bytes() == old
    assert run("generate", "--allow-remote") == OK
    assert list(json.loads(Path("eventgen.lock").read_text())["remote"]) == [other, URL]
    network.clear()
    assert run("generate", "--check") == OK


def test_a_project_whose_lock_changed_is_not_current(
    run: Callable[..., int], network: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = ("new", "service", "orders", "--spec", "spec.yaml", "--broker", "embedded")
    assert run(*new, "--allow-remote") == OK
    monkeypatch.chdir("orders")
    monkeypatch.setattr(regenerate, "plan", None)
    assert run("generate") == OK
    Path("eventgen.lock").unlink()
    with pytest.raises(TypeError):
        cli.run(["generate"])
