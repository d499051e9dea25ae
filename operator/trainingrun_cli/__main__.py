"""The `trainingrun` command: try a manifest on this machine, watch a run on a cluster."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from . import watching
from .errors import CommandError
from .manifest import read_manifest

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Manifest = Annotated[
    Path, typer.Argument(help="YAML file with a TrainingRun, and its TrainingProject if it has one.")
]
OutputFolder = Annotated[Path, typer.Option(help="Folder for results, in place of the run's output.")]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder with local copies of s3:// data sets, by file name; data/ beside the manifest."
    ),
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace; the kubectl context's own.")
]
TimeOut = Annotated[int, typer.Option(help="Seconds after which to stop watching; the run goes on.")]


@app.callback()
def trainingrun() -> None:
    """Fine-tune text classifiers, on Kubernetes or here."""


@app.command()
def run(manifest: Manifest, output: OutputFolder = Path("runs"), data: DataFolder = None) -> None:
    """Train a manifest on this machine, in this process, without a cluster."""
    wanted = read_manifest(manifest)
    # Torch takes seconds to import: only this command needs it, and only for a manifest that can be read.
    from . import local  # noqa: PLC0415

    local.train(wanted, output, data or manifest.parent / "data")


@app.command()
def watch(name: str, namespace: Namespace = None, timeout: TimeOut = 3600) -> None:
    """Show a run on the cluster live until it ends; exit status 1 when it failed."""
    sys.exit(0 if watching.watch(name, namespace, timeout) else 1)


def main() -> None:
    """Run the command; an error a user can mend is one line on stderr and exit status 2."""
    try:
        app()
    except CommandError as error:
        print(f"trainingrun: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
