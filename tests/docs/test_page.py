"""The page that `eventgen docs` writes, as a browser and as its readers have it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.base import Missing
from tests.servers.programs import CHROMIUM
from tests.support import corpus
from tests.support.browser import Browser
from tests.support.generate import SPECS, eventgen
from tests.support.packages import unpacked

HOSTILE = (
    '</script><script>window.hit=1</script><img src=x onerror="window.hit=1">">'
    "<svg onload=window.hit=1>"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        CHROMIUM.find()
    except Missing as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(missing))
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(SPECS / "orders.yaml", tmp_path_factory.mktemp("page"))


def written(spec: Path, folder: Path) -> Path:
    made = eventgen("docs", spec, "-o", "page.html", cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder / "page.html"


def most_events() -> Path:
    """The document with most kinds of events."""
    name, _ = max(corpus.services(), key=lambda one: len(one[1].messages))
    return corpus.folder() / name


def most_text() -> Path:
    """The longest document."""
    return max((corpus.folder() / name for name, _ in corpus.services()), key=_size)


def _size(path: Path) -> int:
    return path.stat().st_size


def hostile(folder: Path) -> Path:
    """A specification with script wherever its author has words."""
    text = {"title": HOSTILE, "description": HOSTILE, "summary": HOSTILE}
    payload = {
        "type": "object",
        "description": HOSTILE,
        "required": [HOSTILE],
        "properties": {
            HOSTILE: {"type": "string", "enum": [HOSTILE, "\u202e\x7f"], "default": HOSTILE},
            "more": {"$ref": "#/components/schemas/More"},
        },
    }
    more = {"type": "object", "properties": {HOSTILE: {"const": HOSTILE}}, "description": HOSTILE}
    example = {"summary": HOSTILE, "payload": {HOSTILE: HOSTILE}}
    message = {**text, "name": HOSTILE, "payload": payload, "examples": [example]}
    document = {
        "asyncapi": "3.0.0",
        "info": {
            **{key: text[key] for key in ("title", "description")},
            "version": HOSTILE,
            "contact": {"name": HOSTILE, "url": "https://example.com"},
        },
        "channels": {"a": {**text, "address": HOSTILE, "messages": {"m": message}}},
        "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/a"}}},
        "components": {"schemas": {"More": more}},
    }
    path = folder / "hostile.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_page_shows_without_a_word_of_complaint_and_asks_for_nothing(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    assert browser.evaluate("document.querySelectorAll('article').length") == 7
    assert browser.evaluate("document.querySelector('svg').textContent.includes('order.paid')")
    assert browser.logged == []
    assert [url for url in browser.requested if not url.startswith("data:")] == [page.as_uri()]


def test_search_leaves_what_has_all_the_words(browser: Browser, page: Path) -> None:
    browser.open(page)
    shown = browser.evaluate(
        "(() => { const input = document.getElementById('search'); input.value = 'FRAUD reason';"
        "input.dispatchEvent(new Event('input'));"
        "return [...document.querySelectorAll('article')].filter((a) => a.checkVisibility())"
        ".map((a) => a.id); })()"
    )
    assert shown == ["event-payment-failed"]
    assert browser.evaluate("document.getElementById('found').textContent") == "1 found"


def test_the_theme_follows_the_system_until_it_is_chosen(browser: Browser, page: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    browser.open(page, "light")
    light = browser.evaluate(ground)
    browser.open(page, "dark")
    dark = browser.evaluate(ground)
    assert light != dark
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate(ground) == light
    browser.evaluate("localStorage.clear()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(scheme: str, browser: Browser, page: Path) -> None:
    browser.open(page, scheme)
    browser.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    require_access(browser)


@pytest.mark.parametrize("large", [most_events, most_text])
def test_the_largest_of_peoples_documents_are_shown_and_accessible(
    large: Callable[[], Path], browser: Browser, tmp_path: Path
) -> None:
    browser.open(written(large(), tmp_path))
    assert browser.evaluate("document.querySelectorAll('article').length") > 2
    assert browser.logged == []
    require_access(browser)


def require_access(browser: Browser) -> None:
    """Have axe look at what the page shows."""
    package = unpacked("axe-core-4.11.0", "npm", "pack", "--silent", "axe-core@4.11.0")
    axe = (package / "package" / "axe.min.js").read_text(encoding="utf-8")
    browser.evaluate(f"{axe}; undefined")
    found = browser.evaluate(
        "axe.run().then(({violations, passes}) => ({passes: passes.length, violations:"
        "violations.map((one) => [one.id, one.nodes.slice(0, 3).map((n) => n.html)])}))"
    )
    assert found["violations"] == []
    assert found["passes"] > 10


def test_words_of_a_specification_stay_words(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(hostile(tmp_path), tmp_path))
    assert browser.evaluate("window.hit === undefined")
    assert browser.evaluate("document.querySelectorAll('script').length") == 1
    assert browser.evaluate("document.querySelectorAll('img, [onload], [onerror]').length") == 0
    assert browser.evaluate("document.querySelector('h1').textContent") == HOSTILE
    assert browser.logged == []


def test_script_that_got_in_all_the_same_would_not_run(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    spoilt = tmp_path / "spoilt.html"
    text = page.read_text(encoding="utf-8")
    spoilt.write_text(text.replace("<main", "<script>window.hit = 1</script><main", 1))
    browser.open(spoilt)
    assert browser.evaluate("window.hit === undefined")
    assert any("Content Security Policy" in line for line in browser.logged)


def test_a_project_has_its_page_and_only_our_own_is_written_over(tmp_path: Path) -> None:
    shutil.copy(SPECS / "orders.yaml", tmp_path)
    (tmp_path / "eventgen.yaml").write_text("spec: orders.yaml\nbroker: embedded\n")
    made = eventgen("docs", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stderr == "wrote events.html; open it in a browser\n"
    page = (tmp_path / "events.html").read_text(encoding="utf-8")
    assert "on_payment_captured" in page
    again = eventgen("docs", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    (tmp_path / "events.html").write_text("mine")
    refused = eventgen("docs", cwd=tmp_path)
    assert refused.returncode == 4
    assert "was not written by eventgen" in refused.stderr
    assert (tmp_path / "events.html").read_text() == "mine"


def test_a_specification_with_errors_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("asyncapi: 3.0.0\n")
    made = eventgen("docs", "bad.yaml", cwd=tmp_path)
    assert made.returncode == 3
    assert "error[" in made.stderr
    assert not (tmp_path / "events.html").exists()
