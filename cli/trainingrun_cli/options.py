"""Options and arguments that commands share."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .completion import run_names

if TYPE_CHECKING:
    from trainingrun_client import Client

Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace. Default: the kubectl context's.")
]
Context = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig. Default: the current one.")
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        envvar="AWS_ENDPOINT_URL", help="URL of the object store as reached from here. Default: the run's."
    ),
]
Name = Annotated[
    str, typer.Argument(metavar="RUN", help="Name of a run on the cluster.", autocompletion=run_names)
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN…", help="Names of runs on the cluster. Default: all under way.", autocompletion=run_names
    ),
]
RunOrResults = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A name on the cluster, or a folder or URI of results, which has a slash: ./NAME.",
        autocompletion=run_names,
    ),
]
Show = Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder with local copies of s3:// data sets. Default: data/ next to the manifest.",
    ),
]


class Format(StrEnum):
    """How resources are printed."""

    JSON = "json"
    YAML = "yaml"
    NAME = "name"


Output = Annotated[Format | None, typer.Option("--output", "-o", help="Print it in this format instead.")]


def client(namespace: str | None, context: str | None, endpoint: str | None = None) -> "Client":
    """The cluster that the options say."""
    from trainingrun_client import Client  # noqa: PLC0415  # --help and completion start without it

    return Client(namespace, context=context, endpoint=endpoint)
