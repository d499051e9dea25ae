"""Commands that need no cluster. Each imports what it needs, so that --help and completion don't wait."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from trainingrun_api.visible import visible_json
from trainingrun_client.errors import ClientError

from . import options

ManifestFile = Annotated[
    Path, typer.Argument(help="YAML file with a TrainingRun, and its TrainingProject if it has one.")
]
ManifestFiles = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="YAML files with runs and projects; - is standard input."),
]
OutputFolder = Annotated[
    Path,
    typer.Option("--output", "-o", file_okay=False, help="Folder for results, instead of the run's output."),
]
ModelFolder = Annotated[Path, typer.Argument(help="Local folder with a published model.")]
Texts = Annotated[
    list[str] | None, typer.Argument(help="Texts to label. Default: standard input, one per line.")
]
ContextValues = Annotated[
    list[str] | None,
    typer.Option("--context", help="Context parameter of the texts as NAME=VALUE; can be repeated."),
]


def init(
    data: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="File with labelled texts on this machine.")
    ],
    name: Annotated[str | None, typer.Option(help="Name of the run. Default: that of the file.")] = None,
    text_field: Annotated[str | None, typer.Option(help="Field with the text. Default: a guess.")] = None,
    label_field: Annotated[str | None, typer.Option(help="Field with the label. Default: a guess.")] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URI", help="Bucket, or folder in it, of data and results, such as s3://bucket."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.")
    ] = None,
) -> None:
    """Write a manifest with comments for a file of labelled texts, after a look at its fields and labels.

    In a terminal, what no option says is asked for; elsewhere it is guessed.
    """
    from . import starting

    text = starting.new_manifest(data, starting.Choices(name, text_field, label_field, store))
    if output is None:
        print(text, end="")
    else:
        starting.write(text, output)


def run(
    manifest: ManifestFile,
    output: OutputFolder = Path("runs"),
    data: options.DataFolder = None,
    endpoint: options.Endpoint = None,
) -> None:
    """Train a manifest on this machine, in this process, without a cluster."""
    from trainingrun_client import read_manifest

    wanted = read_manifest(manifest)
    # Torch takes seconds to import, for which an invalid manifest doesn't wait.
    from . import local

    local.train(wanted, output, data or manifest.parent / "data", endpoint)


def validate(
    files: ManifestFiles,
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder with local copies of data sets, to be read and checked as training would.",
        ),
    ] = None,
) -> None:
    """Check manifests by the cluster's rules, without a cluster; exit status 1 when one is invalid.

    A run may name a project of any of the files.
    """
    from . import validation

    valid = True
    for found in validation.checked(files, data):
        if isinstance(found, ClientError):
            valid = False
            print(f"trainingrun: {found}", file=sys.stderr)
        else:
            print(found)
    sys.exit(0 if valid else 1)


def predict(
    model: ModelFolder,
    texts: Texts = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            exists=True,
            dir_okay=False,
            help="File with the texts: one per line, or in a field of a .csv, .tsv, .jsonl or .parquet file.",
        ),
    ] = None,
    field: Annotated[str, typer.Option(help="Field of the file with the text.")] = "text",
    context: ContextValues = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least probability of a label; a text without any is unknown."),
    ] = None,
) -> None:
    """Label texts with a published model; prints one line of JSON per text.

    What the model reads beside the text is taken from the fields of these names, if the file has fields.
    """
    if file is not None and texts:
        raise ClientError("--file takes the place of texts; leave one of both out")
    given = [] if file else texts or _lines_of_input()
    values = _context_values(context or [])
    from . import predicting
    from .prediction import PublishedModel

    published = PublishedModel(model)
    found = (
        predicting.in_file(file, field, published, values)
        if file
        else predicting.in_one_context(given, published, values)
    )
    for line in predicting.predictions(published, found, threshold):
        print(visible_json(line))


def _lines_of_input() -> list[str]:
    if sys.stdin.isatty():
        raise ClientError("pass the texts to label as arguments, or on standard input, one per line")
    return sys.stdin.read().splitlines()


def _context_values(options: list[str]) -> dict[str, str]:
    pairs = [option.partition("=") for option in options]
    for name, equals, _ in pairs:
        if not equals:
            raise ClientError(f"--context {name}: write NAME=VALUE")
    return {name: value for name, _, value in pairs}
