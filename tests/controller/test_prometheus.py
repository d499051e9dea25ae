"""What Prometheus makes of the operator's metrics."""

from .cluster import Api
from .kubelet import Kubelet
from .manifests import a_failure, a_report, a_run
from .process import OperatorProcess
from .prometheus import promtool


def test_metrics_keep_to_the_conventions(api: Api, operator: OperatorProcess, kubelet: Kubelet) -> None:
    run = api.apply(a_run("checked"))
    pod = kubelet.pod_of("checked")
    kubelet.start(pod)
    api.eventually("checked", phase="Running")
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
    api.apply(a_run("ends"))
    pod = kubelet.pod_of("ends")
    kubelet.start(pod)
    api.eventually("ends", phase="Running")
    kubelet.end(pod, 65, a_failure("DataError", "no texts"))
    api.eventually("ends", phase="Failed", reason="DataError")
    api.until(lambda: operator.value(*ended) == before + 1, "the run to count")

    api.apply(a_run("away"))
    pod = kubelet.pod_of("away")
    kubelet.start(pod)
    api.eventually("away", phase="Running")
    assert operator.stop() == 0
    try:
        kubelet.end(pod, 65, a_failure("DataError", "no texts"))
    finally:
        operator.start()
    api.eventually("away", phase="Failed", reason="DataError")
    shown = "trainingrun_phase", {"namespace": api.namespace, "name": "ends", "phase": "Failed"}
    api.until(lambda: operator.value(*shown) == 1, "the run that had ended")
    assert operator.value(*ended) == 1, "the one that ended meanwhile"
