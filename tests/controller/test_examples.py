"""The examples, applied by kubectl as they stand.

tests/queues has the one that needs Kueue, test_gitops.py a team's folder.
"""

from pathlib import Path

import pytest
import yaml

from .cluster import Api
from .kubectl import Kubectl
from .kubelet import Kubelet
from .manifests import a_result
from .process import ROOT

EXAMPLES = ROOT / "examples"
APPLIED = sorted({*EXAMPLES.glob("*.yaml"), EXAMPLES / "custom-trainer/run.yaml"} - {EXAMPLES / "queue.yaml"})


def name_of_run(example: Path) -> str:
    documents = yaml.safe_load_all(example.read_text())
    (name,) = [one["metadata"]["name"] for one in documents if one["kind"] == "TrainingRun"]
    return str(name)


@pytest.mark.parametrize("example", APPLIED, ids=lambda path: path.stem)
def test_an_example_is_applied_whole_and_comes_to_its_pods(
    api: Api, kubectl: Kubectl, kubelet: Kubelet, example: Path
) -> None:
    name = name_of_run(example)
    kubectl("apply", "--filename", str(example))
    if example.stem == "continued":
        api.eventually(name, phase="Pending", reason="BaseModelNotFound", message="reviews")
        kubectl("apply", "--filename", str(EXAMPLES / "reviews.yaml"))
        kubelet.end(kubelet.pod_of("reviews"), 0, a_result())
    kubelet.pod_of(name)
