"""The Helm release of the operator."""

import json
from pathlib import Path

from localcluster import LocalClusterError, binaries
from localcluster.images import Images
from localcluster.process import execute
from localcluster.progress import say, step

from .kubernetes import Kubernetes

NAMESPACE = "trainingrun-system"
RELEASE = "trainingrun-operator"
CHART = Path(__file__).resolve().parents[2] / "charts" / RELEASE
ROLLOUT_SECONDS = 300


def install(kubernetes: Kubernetes, images: Images) -> None:
    """Install or upgrade the chart and wait until the operator is ready.

    Raises LocalClusterError with Events and logs when it isn't within ROLLOUT_SECONDS.
    """
    values = {"image": reference(images.operator), "trainerImage": reference(images.trainer)}
    arguments = ["upgrade", RELEASE, str(CHART), "--install", "--create-namespace", "--namespace", NAMESPACE]
    say(f"\n$ helm {' '.join(arguments)}")
    with step("operator"):
        helm(kubernetes, *arguments, "--values=-", standard_input=json.dumps(values))
        try:
            rollout = ["rollout", "status", f"deployment/{RELEASE}", f"--timeout={ROLLOUT_SECONDS}s"]
            kubernetes.kubectl("--namespace", NAMESPACE, *rollout)
        except LocalClusterError as error:
            raise LocalClusterError(f"{error}\n{diagnosis(kubernetes)}") from error


def uninstall(kubernetes: Kubernetes) -> None:
    """Remove the release and its namespace; definitions and resources of users stay."""
    helm(kubernetes, "uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
    kubernetes.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")


def reference(image: str) -> dict[str, str]:
    """An image's name as the chart's values take it."""
    repository, _, tag = image.rpartition(":")
    return {"repository": repository, "tag": tag}


def helm(kubernetes: Kubernetes, *arguments: str, standard_input: str | None = None) -> str:
    """Run helm; raises LocalClusterError with what it said."""
    program = str(binaries.path("helm"))
    return execute(program, *arguments, standard_input=standard_input, environment=kubernetes.environment)


def diagnosis(kubernetes: Kubernetes) -> str:
    """Why the operator isn't ready: its Pods, Events and log."""
    namespace = ("--namespace", NAMESPACE)
    return "\n".join(
        [
            kubernetes.kubectl(*namespace, "get", "pods", "--output=wide"),
            kubernetes.kubectl(*namespace, "get", "events", "--sort-by=.lastTimestamp"),
            kubernetes.kubectl(*namespace, "logs", f"deployment/{RELEASE}", "--tail=50", "--ignore-errors"),
        ]
    )
