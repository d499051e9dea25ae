"""Commands: `python -m localcluster COMMAND`."""

import argparse
import shlex
import sys
from collections.abc import Callable

from localcluster import binaries
from localcluster import images as project_images
from localcluster.cluster import LocalCluster
from localcluster.errors import LocalClusterError
from localcluster.progress import say


def build(_: LocalCluster) -> None:
    """Build the programs that are missing in the cache."""
    binaries.ensure()


def up(cluster: LocalCluster) -> None:
    """Start the cluster, or see that it runs."""
    cluster.up()
    say(f"cluster {cluster.name} is up: export KUBECONFIG={cluster.kubeconfig}")


def down(cluster: LocalCluster) -> None:
    """End the cluster and remove its state; safe at any time."""
    cluster.down()
    say(f"cluster {cluster.name} is down; its images and programs stay cached")


def images(cluster: LocalCluster) -> None:
    """Start the cluster unless it runs, push the operator and trainer images to it and print their names."""
    cluster.up()  # before the minutes that building takes, not after them
    built = project_images.build_and_push(cluster)
    print(built.operator, built.trainer, sep="\n")


def clean(cluster: LocalCluster) -> None:
    """As down, and delete the cached images of all checkouts to free the disk."""
    cluster.clean()


def status(cluster: LocalCluster) -> None:
    """Say whether the cluster runs; exit status 1 when not."""
    if not cluster.healthy:
        raise LocalClusterError(
            f"cluster {cluster.name} is not up; logs, if any, are in {cluster.state / 'logs'}"
        )
    print(f"cluster {cluster.name} is up: API server and node ready, S3 at {cluster.s3_endpoint}")


def kubeconfig(cluster: LocalCluster) -> None:
    """Print the path of the administrator's kubeconfig."""
    print(cluster.kubeconfig)


def env(cluster: LocalCluster) -> None:
    """Print export lines for a shell: eval "$(python -m localcluster env)"."""
    for name, value in cluster.environment.items():
        print(f"export {name}={shlex.quote(value)}")


COMMANDS: tuple[Callable[[LocalCluster], None], ...] = (
    build,
    up,
    images,
    down,
    clean,
    status,
    kubeconfig,
    env,
)


def main() -> None:
    """Run one command; a problem is said in words and ends with status 1."""
    parser = argparse.ArgumentParser(
        prog="localcluster", description="A real one-node Kubernetes for this checkout."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        summary = (command.__doc__ or "").strip()
        commands.add_parser(command.__name__, help=summary, description=summary).set_defaults(run=command)
    pull = commands.add_parser("pull", help="Fetch an image from the registry to the node ahead of its Pods.")
    pull.add_argument("image")
    pull.set_defaults(run=None)
    arguments = parser.parse_args()
    cluster = LocalCluster()
    try:
        arguments.run(cluster) if arguments.run else cluster.pull(arguments.image)
    except LocalClusterError as error:
        sys.exit(f"localcluster: {error}")


if __name__ == "__main__":
    main()
