"""Alerts and dashboard of a generated service: valid, and about metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tests.support.generate import SPECS, compile_spec, texts
from tests.support.runtime import importable

importable()

from runtime.metrics import REGISTRY  # noqa: E402  - assembled just now

FOLDER = "deploy/observability/"
OF_PROMETHEUS = {"job", "instance", "le"}  # labels that no metric declares
PROCESS = re.compile(r"process_[a-z_]+")


def collectors() -> list[Any]:
    return [each for each in REGISTRY._collector_to_names if hasattr(each, "_labelnames")]


def samples() -> dict[str, set[str]]:
    """The labels of every sample that a query may ask for."""
    found = {}
    for each in collectors():
        [family] = each.describe()
        ends = {"counter": ["_total"], "info": ["_info"], "gauge": [""]}
        for end in ends.get(family.type, ["_bucket", "_sum", "_count"]):
            found[family.name + end] = set(each._labelnames)
    found["eventgen_build_info"] = {"service", "version"}
    return found


def shown(query: str) -> str:
    """A query as Grafana sends it."""
    return query.replace("$job", "orders").replace("$__rate_interval", "5m")


def misread(query: str) -> list[str]:
    """What a query asks for and will never get. Raises ValueError when it is no PromQL."""
    known = samples()
    problems: list[str] = []
    labels: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            if node.name not in known and not PROCESS.fullmatch(node.name):
                problems.append(f"there is no metric {node.name}")
            mine = known.get(node.name, set()) | OF_PROMETHEUS
            labels.update(mine)
            asked = {matcher.name for matcher in node.matchers.matchers}
            problems.extend(f"{node.name} has no label {name}" for name in asked - mine)
            problems.extend(["it does not say which service"] if "job" not in asked else [])

    tree = promql_parser.parse(query)
    promql_parser.walk(tree, visit)

    def groups(node: Any) -> None:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            problems.extend(f"nothing has {x}" for x in set(node.modifier.labels) - labels)

    promql_parser.walk(tree, groups)
    return problems


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    made = texts(compile_spec(SPECS / "orders.yaml", "embedded"))
    return {path.removeprefix(FOLDER): made[path] for path in made if path.startswith(FOLDER)}


@pytest.fixture(scope="module")
def alerts(files: dict[str, str]) -> list[dict[str, Any]]:
    [group] = yaml.safe_load(files["alerts.yaml"])["groups"]
    assert group.keys() == {"name", "rules"}
    return list(group["rules"])


@pytest.fixture(scope="module")
def dashboard(files: dict[str, str]) -> dict[str, Any]:
    return dict(json.loads(files["dashboard.json"]))


def test_every_alert_asks_for_metrics_that_there_are(alerts: list[dict[str, Any]]) -> None:
    assert {rule["alert"]: found for rule in alerts if (found := misread(rule["expr"]))} == {}


def test_every_panel_asks_for_metrics_that_there_are(dashboard: dict[str, Any]) -> None:
    queries = [(p["title"], t["expr"]) for p in dashboard["panels"] for t in p["targets"]]
    assert {title: found for title, q in queries if (found := misread(shown(q)))} == {}
    assert len(queries) > len(dashboard["panels"]) > 5


def test_a_query_for_something_that_is_not_there_is_seen() -> None:
    assert misread('max(eventgen_outbox_old{job="x"})') == [
        "there is no metric eventgen_outbox_old"
    ]
    assert misread("max(eventgen_relays)") == ["it does not say which service"]
    assert misread('eventgen_parked{job="x",state="dead"}') == [
        "eventgen_parked has no label state"
    ]
    assert misread('sum by (kind) (eventgen_relays{job="x"})') == ["nothing has kind"]
    with pytest.raises(ValueError, match="unclosed"):
        misread("max(eventgen_relays")


def test_every_alert_says_what_is_wrong_and_which_command_to_run(
    alerts: list[dict[str, Any]],
) -> None:
    for rule in alerts:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"Orders[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[sm]", rule["for"])
        assert rule["labels"] in [
            {"severity": severity, "service": "orders"} for severity in ("critical", "warning")
        ]
        assert "orders" in rule["annotations"]["summary"]
        assert re.search(r"`orders [a-z]+", rule["annotations"]["runbook"]), rule
        used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        assert used <= set(re.findall(r"by \((\w+)\)", rule["expr"]))


def test_the_commands_that_alerts_name_exist(alerts: list[dict[str, Any]]) -> None:
    from tests.runtime.tiny import main

    named = re.findall(r"`orders ([a-z]+)(?: ([a-z]+))?", str([r["annotations"] for r in alerts]))
    for name, below in named:
        command: Any = main.commands[name]
        assert not below or below in command.commands, f"{name} {below}"


def test_prometheus_itself_takes_the_rules(files: dict[str, str], tmp_path: Path) -> None:
    """With `promtool` where there is one; their syntax is checked by the tests above anyway."""
    rules = tmp_path / "alerts.yaml"
    rules.write_text(files["alerts.yaml"], encoding="utf-8")
    for promtool in filter(None, [shutil.which("promtool")]):
        command = [promtool, "check", "rules", str(rules)]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_grafana_can_place_and_tell_apart_every_panel(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)", json.dumps(panels)))
    assert used == variables == {"datasource", "job"}
    assert 'service="orders"' in dashboard["templating"]["list"][1]["query"]
    assert all(
        len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for panel in panels
    )


def test_the_table_of_metrics_is_the_registry(files: dict[str, str]) -> None:
    suffix = {"counter": "_total", "info": "_info"}
    expected = []
    for each in collectors():
        [family] = each.describe()
        name = family.name + suffix.get(family.type, "")
        labels = ", ".join(each._labelnames)
        expected.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    table = [line for line in files["README.md"].splitlines() if line.startswith("| `eventgen_")]
    assert table == expected


def test_names_that_need_care_come_through() -> None:
    made = texts(compile_spec(SPECS / "hostile.yaml", "embedded"))
    for rule in yaml.safe_load(made[FOLDER + "alerts.yaml"])["groups"][0]["rules"]:
        assert misread(rule["expr"]) == []
    json.loads(made[FOLDER + "dashboard.json"])
