"""Monitors and alerts, as the chart makes them and as promtool tests them."""

import json
import re
from pathlib import Path

import pytest
import yaml
from controller.prometheus import promtool

from .release import CHART, Manifest, container, manifests, of_kind

DOCS = CHART.parents[1] / "docs"
RULES = CHART / "files/monitoring/rules.yaml"
TESTS = Path(__file__).parent / "rules.test.yaml"


def alerts(groups: list[Manifest]) -> list[Manifest]:
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.slow  # promtool comes from Debian
def test_each_alert_fires_when_it_should_and_not_otherwise() -> None:
    checked = promtool("test", "rules", str(TESTS))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    questions = [
        (re.findall(r'alertname="(\w+)"', question["expr"])[0], bool(question["exp_samples"]))
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for question in test["promql_expr_test"]
    ]
    names = {alert["alert"] for alert in alerts(yaml.safe_load(RULES.read_text())["groups"])}
    assert set(questions) == {(name, fires) for name in names for fires in (True, False)}


def test_each_alert_says_what_it_means_and_what_to_do() -> None:
    (rule,) = of_kind(
        manifests(metrics={"rules": {"enabled": True, "runbookUrl": "https://x"}}), "PrometheusRule"
    )
    found = alerts(rule["spec"]["groups"])
    headings = re.findall(r"^### (\w+)$", (DOCS / "monitoring.md").read_text(), re.MULTILINE)
    assert [alert["alert"] for alert in found] == headings
    for alert in found:
        assert alert["labels"]["severity"] in {"warning", "critical"}
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["description"]
        assert alert["annotations"]["runbook_url"] == f"https://x#{alert['alert'].lower()}"


def test_rules_are_those_of_the_file() -> None:
    (rule,) = of_kind(
        manifests(metrics={"rules": {"enabled": True, "labels": {"release": "p"}}}), "PrometheusRule"
    )
    assert rule["spec"] == yaml.safe_load(RULES.read_text())
    assert rule["metadata"]["labels"]["release"] == "p"


@pytest.mark.parametrize(
    ("kind", "endpoints"), [("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")]
)
def test_a_monitor_selects_the_port_of_the_metrics(kind: str, endpoints: str) -> None:
    found = manifests(metrics={"monitor": {"kind": kind, "labels": {"release": "p"}}})
    (monitor,) = of_kind(found, kind)
    assert monitor["metadata"]["labels"]["release"] == "p"
    assert monitor["spec"][endpoints] == [{"port": "metrics", "interval": "30s", "honorLabels": True}]
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    (service,), (deployment,) = of_kind(found, "Service"), of_kind(found, "Deployment")
    target = service if kind == "ServiceMonitor" else deployment["spec"]["template"]
    assert wanted <= target["metadata"]["labels"].items()
    ports = service["spec"]["ports"] if kind == "ServiceMonitor" else container(found)["ports"]
    assert "metrics" in {port["name"] for port in ports}


def test_nothing_of_the_prometheus_operator_unless_asked_for() -> None:
    kinds = {manifest["apiVersion"] for manifest in manifests()}
    assert not any(kind.startswith("monitoring.coreos.com") for kind in kinds)


def test_dashboards_are_config_maps_that_the_sidecar_finds() -> None:
    found = manifests(
        metrics={"dashboards": {"enabled": True, "annotations": {"grafana_folder": "Training"}}}
    )
    shipped = {}
    for config_map in of_kind(found, "ConfigMap"):
        assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert config_map["metadata"]["annotations"] == {"grafana_folder": "Training"}
        shipped |= config_map["data"]
    generated = {
        f"trainingrun-{path.name}": path.read_text() for path in (RULES.parent / "dashboards").iterdir()
    }
    assert {name: json.loads(text) for name, text in shipped.items()} == {
        name: json.loads(text) for name, text in generated.items()
    }
    assert not of_kind(manifests(), "ConfigMap")


def test_panels_say_what_they_show_and_do_not_overlap() -> None:
    for path in (RULES.parent / "dashboards").iterdir():
        panels = json.loads(path.read_text())["panels"]
        cells = [cell for panel in panels for cell in cells_of(panel["gridPos"])]
        assert len(cells) == len(set(cells)), path.name
        for panel in panels:
            assert panel["title"]
            assert panel["description"].endswith("."), panel["title"]


def cells_of(place: dict[str, int]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]


def test_values_of_the_page_are_ones_that_the_chart_takes() -> None:
    values, _ = blocks()
    kinds = {manifest["kind"] for manifest in manifests(**values)}
    assert kinds >= {"ServiceMonitor", "PrometheusRule", "ConfigMap"}


@pytest.mark.slow
def test_configuration_of_the_page_is_one_that_prometheus_takes(tmp_path: Path) -> None:
    _, configuration = blocks()
    (tmp_path / "rules.yaml").write_bytes(RULES.read_bytes())
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    checked = promtool("check", "config", str(tmp_path / "prometheus.yaml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def blocks() -> list[Manifest]:
    page = (DOCS / "monitoring.md").read_text()
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
