"""The Helm release of the operator."""

import json
from pathlib import Path
from typing import Any

from localcluster import LocalClusterError, binaries
from localcluster.images import Images
from localcluster.process import execute, wait_until
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
            wait_until_it_leads(kubernetes)
        except LocalClusterError as error:
            raise LocalClusterError(f"{error}\n{diagnosis(kubernetes)}") from error


def wait_until_it_leads(kubernetes: Kubernetes) -> None:
    """Wait until a pod that stays leads: until then an old one may reconcile, with the values of before.

    Raises LocalClusterError when none does within ROLLOUT_SECONDS.
    """
    rollout = ("rollout", "status", f"deployment/{RELEASE}", f"--timeout={ROLLOUT_SECONDS}s")
    kubernetes.kubectl("--namespace", NAMESPACE, *rollout)

    def leads() -> bool:
        lease = _read(kubernetes, "leases", f"--field-selector=metadata.name={RELEASE}")
        return any(one["spec"]["holderIdentity"] in staying_pods(kubernetes) for one in lease)

    wait_until(leads, "a pod of the operator to lead", seconds=ROLLOUT_SECONDS)


def staying_pods(kubernetes: Kubernetes) -> set[str]:
    """Names of the operator's pods that aren't about to end."""
    pods = _read(kubernetes, "pods", f"--selector=app.kubernetes.io/instance={RELEASE}")
    return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def service_address(kubernetes: Kubernetes) -> str:
    """IP address of its Service."""
    (service,) = _read(kubernetes, "services", f"--field-selector=metadata.name={RELEASE}")
    address: str = service["spec"]["clusterIP"]
    return address


def _read(kubernetes: Kubernetes, *what: str) -> list[dict[str, Any]]:
    found = json.loads(kubernetes.kubectl("--namespace", NAMESPACE, "get", *what, "--output=json"))
    items: list[dict[str, Any]] = found["items"]
    return items


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
