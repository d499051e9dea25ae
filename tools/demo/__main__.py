"""`python -m demo up` runs the main job, `python -m demo down` removes what it started."""

import argparse
import json
import os
import sys
from pathlib import Path

from localcluster import LocalClusterError
from localcluster.progress import say, step
from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_cli.watching import watch
from trainingrun_client import Client, ClientError

from . import operator_release
from .kubernetes import Kubernetes
from .objectstore import NAMESPACE, fill, listing, s3_client
from .target import CurrentTarget, LocalTarget, Target

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MANIFEST = EXAMPLES / "tickets.yaml"
RUN = "tickets-v1"
WATCH_SECONDS = 3600


def up(target: Target) -> None:
    """Set everything up, train the example and show what came out.

    Raises LocalClusterError when a step fails, with what is known of the reason.
    """
    images = target.prepare()
    kubernetes = Kubernetes(target.environment)
    operator_release.install(kubernetes, images)
    provide_data(kubernetes, target, EXAMPLES / "data")
    train(kubernetes)
    show_result(kubernetes, target)


def provide_data(kubernetes: Kubernetes, target: Target, folder: Path) -> None:
    """Make the demo's namespace, with an object store that holds the files of `folder`."""
    with step("object store with the example data"):
        kubernetes.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
        kubernetes.apply([target.credentials.secret(), *target.objectstore()])
        with target.endpoint() as endpoint:
            fill(s3_client(endpoint, target.credentials), folder)


def train(kubernetes: Kubernetes) -> None:
    """Apply the example anew and watch it to its end."""
    kubernetes.kubectl("--namespace", NAMESPACE, "delete", "trainingrun", RUN, "--ignore-not-found")
    kubernetes.show("--namespace", NAMESPACE, "apply", "--filename", os.path.relpath(MANIFEST))
    os.environ.update(kubernetes.environment)
    say(f"\n$ trainingrun watch {RUN} --namespace {NAMESPACE}")
    try:
        succeeded = watch(Client(NAMESPACE), [RUN], WATCH_SECONDS)
    except ClientError as error:
        raise LocalClusterError(f"{error}\n{diagnosis(kubernetes)}") from error
    if not succeeded:
        raise LocalClusterError(f"the run failed\n{diagnosis(kubernetes)}")


def show_result(kubernetes: Kubernetes, target: Target) -> None:
    """Print the finished resource and the list of its artifacts."""
    kubernetes.show("--namespace", NAMESPACE, "get", "trainingruns")
    arguments = ("--namespace", NAMESPACE, "get", "trainingrun", RUN, "--output=json")
    model = json.loads(kubernetes.kubectl(*arguments))["status"]["artifacts"]["model"]
    prefix = f"{ArtifactPaths.beside(model).prefix}/"
    say(f"\nobjects under {prefix}")
    with target.endpoint() as endpoint:
        for name, size in listing(s3_client(endpoint, target.credentials), prefix):
            say(f"  {size:>12,}  {name}")
    say(f"\nnext: {target.farewell}")


def diagnosis(kubernetes: Kubernetes) -> str:
    """What the cluster knows of the run: its description, Pods and their logs."""
    namespace = ("--namespace", NAMESPACE)
    logs = ("logs", f"--selector=training.labelator.io/run={RUN}", "--tail=50", "--ignore-errors")
    return "\n".join(
        [
            kubernetes.kubectl(*namespace, "describe", "trainingrun", RUN),
            kubernetes.kubectl(*namespace, "get", "pods", "--output=wide"),
            kubernetes.kubectl(*namespace, *logs),
        ]
    )


def main() -> None:
    """Run one command; a failing step says what to do and ends with status 1."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("--cluster", choices=("local", "current"), default="local")
    parser.add_argument("--registry", help="with --cluster current: where images are pushed, as host/path")
    arguments = parser.parse_args()
    target: Target = LocalTarget() if arguments.cluster == "local" else CurrentTarget(arguments.registry)
    try:
        up(target) if arguments.command == "up" else target.down()
    except LocalClusterError as error:
        sys.exit(f"\ndemo: {error}")


if __name__ == "__main__":
    main()
