"""The `trainingrun` command: try a manifest on this machine, watch a run on a cluster, use its model."""

import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated

import typer

from trainingrun_api.names import REPORT_FAULTS, ExitCode
from trainingrun_api.visible import visible, visible_json

from . import watching
from .errors import CommandError
from .run_manifest import read_manifest

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

ManifestFile = Annotated[
    Path, typer.Argument(help="YAML file with a TrainingRun, and its TrainingProject if it has one.")
]
OutputFolder = Annotated[
    Path, typer.Option(file_okay=False, help="Folder for results, instead of the run's output.")
]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder with local copies of s3:// data sets. Default: data/ next to the manifest.",
    ),
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace. Default: the kubectl context's.")
]
TimeOut = Annotated[int, typer.Option(help="Seconds after which to stop watching; the run continues.")]

ReportFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write. Default: NAME.html in a temporary folder."),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        envvar="AWS_ENDPOINT_URL", help="URL of the object store as reached from here. Default: the run's."
    ),
]
Show = Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")]

Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN RUN…",
        help="Names on the cluster, or folders or URIs of results, which have a slash: ./NAME. The others "
        "are compared with the first.",
    ),
]
ComparisonFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="HTML file to also write the comparison to.")
]

ModelFolder = Annotated[Path, typer.Argument(help="Local folder with a published model.")]
Texts = Annotated[
    list[str] | None, typer.Argument(help="Texts to label. Default: standard input, one per line.")
]
ContextValues = Annotated[
    list[str] | None,
    typer.Option("--context", help="Context parameter of the texts as NAME=VALUE; can be repeated."),
]


@app.callback()
def trainingrun() -> None:
    """Fine-tune text classifiers, on Kubernetes or here."""


@app.command()
def run(
    manifest: ManifestFile,
    output: OutputFolder = Path("runs"),
    data: DataFolder = None,
    endpoint: Endpoint = None,
) -> None:
    """Train a manifest on this machine, in this process, without a cluster."""
    wanted = read_manifest(manifest)
    # Torch takes seconds to import: only this command needs it, and only for a manifest that can be read.
    from . import local  # noqa: PLC0415

    local.train(wanted, output, data or manifest.parent / "data", endpoint)


@app.command()
def watch(name: str, namespace: Namespace = None, timeout: TimeOut = 3600) -> None:
    """Show a run on the cluster live until it ends; exit status 1 when it failed."""
    sys.exit(0 if watching.watch(name, namespace, timeout) else 1)


@app.command()
def predict(model: ModelFolder, texts: Texts = None, context: ContextValues = None) -> None:
    """Label texts with a published model; prints one line of JSON per text."""
    given, values = texts or _lines_of_input(), _context_values(context or [])
    from .prediction import PublishedModel  # noqa: PLC0415  # torch again

    published = PublishedModel(model)
    for text, scores in zip(given, published.scores(given, values), strict=True):
        line = {"text": text, "labels": published.given(scores), "scores": scores}
        print(visible_json(line))


def _lines_of_input() -> list[str]:
    if sys.stdin.isatty():
        raise CommandError("pass the texts to label as arguments, or on standard input, one per line")
    return sys.stdin.read().splitlines()


def _context_values(options: list[str]) -> dict[str, str]:
    pairs = [option.partition("=") for option in options]
    for name, equals, _ in pairs:
        if not equals:
            raise CommandError(f"--context {name}: write NAME=VALUE")
    return {name: value for name, _, value in pairs}


@app.command()
def report(
    name: str,
    namespace: Namespace = None,
    output: ReportFile = None,
    endpoint: Endpoint = None,
    show: Show = True,
) -> None:
    """Fetch the report of a run on the cluster, also while it trains, and open it in the browser."""
    from . import reports  # noqa: PLC0415  # what speaks to object stores takes long to import, too

    path = reports.fetch(name, namespace, output, endpoint)
    print(path)
    if show:
        typer.launch(path.as_uri())


@app.command()
def compare(
    runs: Runs,
    namespace: Namespace = None,
    output: ComparisonFile = None,
    endpoint: Endpoint = None,
    show: Show = True,
) -> None:
    """Compare finished runs: scores, curves, classes, settings, and whether one is significantly better."""
    from . import comparing  # noqa: PLC0415  # as above

    path = comparing.compare_runs(runs, namespace, output, endpoint)
    if path is not None:
        print(path)
        if show:
            typer.launch(path.as_uri())


def main() -> None:
    """Run the command; an error a user can mend is one line on stderr and exit status 2.

    An unexpected one is exit status 70, and its trace goes to a file.
    """
    try:
        app()
    except CommandError as error:
        print(f"trainingrun: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001  # nobody is shown a trace
        print(f"trainingrun: {_unexpected(error)}", file=sys.stderr)
        sys.exit(ExitCode.BUG)


def _unexpected(error: Exception) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="trainingrun-", suffix=".txt", delete=False) as trace:
        trace.writelines(traceback.format_exception(error))
    return (
        f"internal error; {REPORT_FAULTS}, with the traceback in {trace.name}: "
        f"{type(error).__name__}: {visible(str(error))}"
    )


if __name__ == "__main__":
    main()
