"""What Prometheus makes of the metrics: conventions, counts, and all that dashboards and alerts ask."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from kubernetes.client import ApiClient, RbacAuthorizationV1Api

from trainingrun_api.metrics import EPOCH_METRICS

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_failure, a_foreign_job, a_report, a_result, a_run
from .process import NAMESPACE, RELEASE, OperatorProcess, stopped
from .prometheus import MONITORING, Prometheus, draw_dashboards, promtool

HARD_TO_GET = {"> 300": "> 0", "> 0.1": "> 0", "> 2.5": "> 0"}
"""Thresholds that take minutes: of a watch that is lost, of errors that go on, and of restarts that a Job
makes with growing pauses."""


def test_metrics_keep_to_the_conventions(api: Api, operator: OperatorProcess, kubelet: Kubelet) -> None:
    run = api.apply(a_run("checked"))
    pod = started(api, kubelet, "checked")
    operator.post(a_report(run), api.token(pod))
    series = f'trainingrun_epoch{{name="checked",namespace="{api.namespace}"}} 2.0'
    shown = api.until(lambda: text if series in (text := operator.metrics()) else None, "the report")
    checked = promtool("check", "metrics", given=shown)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr == ""


def test_a_run_that_ends_counts_once_also_over_a_restart(
    api: Api, operator: OperatorProcess, kubelet: Kubelet
) -> None:
    ended = "trainingrun_finished_total", {"result": "Failed", "reason": "DataError"}
    before = operator.value(*ended)
    failed(api, kubelet, "ends")
    api.until(lambda: operator.value(*ended) == before + 1, "the run to count")

    api.apply(a_run("away"))
    pod = started(api, kubelet, "away")
    with stopped(operator):
        kubelet.end(pod, 65, a_failure("DataError", "no texts"))
    api.eventually("away", phase="Failed", reason="DataError")
    shown = "trainingrun_phase", {"namespace": api.namespace, "name": "ends", "phase": "Failed"}
    api.until(lambda: operator.value(*shown) == 1, "the run that had ended")
    assert operator.value(*ended) == 1, "the one that ended meanwhile"


def test_each_panel_and_each_alert_gets_what_it_asks_for(
    api: Api, api_client: ApiClient, operator: OperatorProcess, kubelet: Kubelet, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{operator.metrics_port}"
    with Prometheus(tmp_path, address) as prometheus:
        api.until(lambda: prometheus.values("trainingrun_operator_build_info"), "the first scrape")
        learning, token = learns(api, operator, kubelet)
        series = f'{{namespace="{api.namespace}",name="learning"}}'
        loss = f"trainingrun_training_loss{series}"
        api.until(lambda: prometheus.values(loss), "the first report")
        everything_else(api, api_client, operator, kubelet)
        lowest = f"min_over_time(avg_over_time({loss}[2m])[1h:30s])"
        api.until(lambda: prometheus.values(lowest), "the loss over a while")
        operator.post(with_scores(a_report(learning), training_loss=90.0), token)
        names = [run["metadata"]["name"] for run in runs_of(api)]

        for panel, expression in panel_expressions():
            asked = [filled(expression, api.namespace, name) for name in names]
            api.until(
                lambda asked=asked: any(map(prometheus.values, asked)), f"data of {panel}: {expression}"
            )

        draw_dashboards(prometheus, 60, api.namespace, "learning", tmp_path)

        alerts = yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"][0]["rules"]
        of_runs = [alert for alert in alerts if alert["alert"] != "TrainingRunOperatorDown"]
        for alert in of_runs:
            api.until(lambda alert=alert: prometheus.values(soon(alert["expr"])), alert["alert"])
        api.until(lambda: f"Run {api.namespace}/silent reports" in said(prometheus), "an alert's words")
        assert "<error" not in said(prometheus)
        told = {rule["name"]: rule["health"] for rule in prometheus.rules()}
        assert told == {alert["alert"]: "ok" for alert in alerts}

        (down,) = (alert["expr"] for alert in alerts if alert not in of_runs)
        assert not prometheus.values(down)
        with stopped(operator):
            api.until(lambda: prometheus.values(down), "the operator to be missed")


def learns(api: Api, operator: OperatorProcess, kubelet: Kubelet) -> tuple[Manifest, str]:
    """A run that reports all that a trainer can, and the token of its pod."""
    run = api.apply(a_run("learning", resources={"gpusPerNode": 1}))
    token = api.token(started(api, kubelet, "learning"))
    operator.post(with_scores(a_report(run)), token)
    return run, token


def everything_else(api: Api, api_client: ApiClient, operator: OperatorProcess, kubelet: Kubelet) -> None:
    """Runs that wait, fail, restart, succeed and stand still; and errors of the operator itself."""
    api.apply(a_run("restarted"))
    pod = started(api, kubelet, "restarted")
    kubelet.preempt(pod)  # a Job waits for ten seconds before it makes another
    api.apply(a_run("waiting", resources={"gpusPerNode": 2}))
    api.apply(a_foreign_job("stalled"))
    api.apply(a_run("stalled"))
    for number in range(3):
        failed(api, kubelet, f"failed-{number}")

    succeeding = api.apply(a_run("succeeded"))
    working = started(api, kubelet, "succeeded")
    operator.post(with_scores(a_report(succeeding)), api.token(working))
    finding = {"type": "LossJump", "severity": "Warning", "message": "it rose", "suggestion": "lower it"}
    kubelet.end(working, 0, json.dumps(json.loads(a_result()) | {"advice": [finding]}))
    api.eventually("succeeded", phase="Succeeded")

    silent = api.apply(a_run("silent"))
    working = started(api, kubelet, "silent")
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    operator.post(a_report(silent, time=an_hour_ago), api.token(working))

    kubelet.start(kubelet.pod_of("restarted", after=pod))
    api.eventually("restarted", phase="Running")

    with no_right_to_write_status(api_client):
        before = operator.count("reconcile_errors_total")
        api.apply(a_run("unwritten"))
        api.until(lambda: operator.count("reconcile_errors_total") > before, "an error")


def started(api: Api, kubelet: Kubelet, name: str) -> Manifest:
    """The pod of a run, once it works."""
    pod = kubelet.pod_of(name)
    kubelet.start(pod)
    api.eventually(name, phase="Running")
    return pod


def failed(api: Api, kubelet: Kubelet, name: str) -> None:
    api.apply(a_run(name))
    kubelet.end(started(api, kubelet, name), 65, a_failure("DataError", "no texts"))
    api.eventually(name, phase="Failed", reason="DataError")


def with_scores(report: Manifest, training_loss: float = 0.5) -> Manifest:
    """The report with all that any task has."""
    more = {"trainingLoss": training_loss, "learningRate": 2e-5, "stageSeconds": {"Training": 40}}
    scores = {"accuracy": 0.8, "f1": 0.75, "averagePrecision": 0.7, "spearman": 0.6}
    assert len(scores) == len(EPOCH_METRICS)
    epochs = [epoch | scores for epoch in report["epochs"]]
    return report | {"progress": report["progress"] | more, "epochs": epochs}


def runs_of(api: Api) -> list[Manifest]:
    found: list[Manifest] = api.resource("TrainingRun").get(namespace=api.namespace).to_dict()["items"]
    return found


@contextmanager
def no_right_to_write_status(api_client: ApiClient) -> Iterator[None]:
    """The operator's role without it."""
    rbac, name = RbacAuthorizationV1Api(api_client), f"{NAMESPACE}-{RELEASE}"
    role = api_client.sanitize_for_serialization(rbac.read_cluster_role(name))
    less = [rule for rule in role["rules"] if rule["resources"] != ["trainingruns/status"]]
    assert len(less) < len(role["rules"])
    rbac.patch_cluster_role(name, {"rules": less})
    try:
        yield
    finally:
        rbac.patch_cluster_role(name, {"rules": role["rules"]})


def panel_expressions() -> Iterator[tuple[str, str]]:
    """Dashboard and title of the panel, and expression."""
    for path in sorted((MONITORING / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}, {panel['title']}", target["expr"]


def filled(expression: str, namespace: str, name: str) -> str:
    """With values for Grafana's variables, and without the 0 that some show instead of nothing."""
    values = {"$namespace": namespace, "$name": name, "$__rate_interval": "1m", "$__range": "1h"}
    values[" or vector(0)"] = ""
    for variable, value in values.items():
        expression = expression.replace(variable, value)
    return expression


def said(prometheus: Prometheus) -> str:
    """What all alerts say."""
    return "\n".join(
        text
        for rule in prometheus.rules()
        for alert in rule["alerts"]
        for text in alert["annotations"].values()
    )


def soon(expression: str) -> str:
    for late, early in HARD_TO_GET.items():
        if expression.endswith(late):
            return expression.removesuffix(late) + early
    return expression
