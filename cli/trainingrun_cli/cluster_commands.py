"""Commands about runs on a cluster. Each imports what it needs, so that --help and completion don't wait."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from trainingrun_api.visible import visible

from . import options
from .options import client

ManifestFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="YAML file with runs and projects; - is standard input.")
]
AllNamespaces = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Runs of all namespaces.")]
TimeOut = Annotated[int, typer.Option(help="Seconds after which to stop watching; the run continues.")]
ReportFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write. Default: NAME.html in a temporary folder."),
]
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
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Field of the spec and its new value, such as training.maxEpochs=10; null removes it. Can be "
        "repeated.",
    ),
]


def submit(
    file: ManifestFile,
    namespace: options.Namespace = None,
    context: options.Context = None,
    output: options.Output = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Have the cluster check it and keep nothing.")
    ] = False,
) -> None:
    """Apply the runs and projects of a manifest, and print their names.

    It is a server-side apply: submitting the same again changes nothing. A run with generateName is a new
    run each time. Resources of other kinds are left out, and named.
    """
    from trainingrun_client import read_documents

    from . import printing, submitting

    documents = read_documents(file)
    submitted = client(namespace, context).submit_all(documents, dry_run=dry_run)
    if output is None:
        for one in submitted:
            print(f"{one.kind.lower()}/{one.name} submitted{' (dry run)' if dry_run else ''}")
    else:
        print(printing.as_list(submitted, output))
    if documents.foreign:
        print(submitting.left_out(documents), file=sys.stderr)


def list_runs(
    namespace: options.Namespace = None,
    all_namespaces: AllNamespaces = False,
    context: options.Context = None,
    output: options.Output = None,
) -> None:
    """List runs, the newest last."""
    from . import printing

    runs = client(namespace, context).list(all_namespaces=all_namespaces)
    if output is not None:
        print(printing.as_list(runs, output))
    elif runs:
        print(printing.runs_table(runs, datetime.now(UTC), namespaces=all_namespaces))
    else:
        print("There are no runs.", file=sys.stderr)


def watch(
    names: options.Names = None,
    namespace: options.Namespace = None,
    context: options.Context = None,
    timeout: TimeOut = 3600,
) -> None:
    """Show runs live until they end, by default all that are under way; exit status 1 when one failed."""
    from . import watching

    cluster = client(namespace, context)
    wanted = list(dict.fromkeys(names or watching.unfinished(cluster)))
    sys.exit(0 if watching.watch(cluster, wanted, timeout) else 1)


def logs(
    name: options.Name,
    namespace: options.Namespace = None,
    context: options.Context = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run ends, also after restarts.")
    ] = False,
    node: Annotated[int | None, typer.Option(min=0, help="Only the pods of this node, from 0.")] = None,
    tail: Annotated[int | None, typer.Option(min=0, help="Only the last lines of each pod.")] = None,
) -> None:
    """Print the logs of a run's pods: of all nodes, and of earlier attempts whose pods are still there."""
    cluster, shown = client(namespace, context), None
    for line in cluster.logs(name, follow=follow, node=node, tail=tail):
        if line.pod != shown:
            shown = line.pod
            print(f"--- Pod {line.pod}, node {line.node}", file=sys.stderr, flush=True)
        print(line.text, flush=True)
    if shown is None:
        print(f"No pod has a log. {visible(cluster.get(name).status.in_words)}", file=sys.stderr)


def suspend(name: options.Name, namespace: options.Namespace = None, context: options.Context = None) -> None:
    """Suspend a run: its pods save a checkpoint and end, and it keeps its place until `resume`."""
    run = client(namespace, context).suspend(name)
    print(f"trainingrun/{run.name} suspended")


def resume(name: options.Name, namespace: options.Namespace = None, context: options.Context = None) -> None:
    """Have a suspended run continue from its last checkpoint."""
    run = client(namespace, context).resume(name)
    print(f"trainingrun/{run.name} resumed")


def stop(name: options.Name, namespace: options.Namespace = None, context: options.Context = None) -> None:
    """End a run for good: its pods save a checkpoint and end, and it counts as failed.

    Results so far stay where they are, and `rerun --resume` continues from the checkpoint as a new run.
    `suspend` only pauses a run; kubectl delete also removes what is known of it.
    """
    run = client(namespace, context).stop(name)
    print(f"trainingrun/{run.name} stopped")


def rerun(
    name: options.Name,
    namespace: options.Namespace = None,
    context: options.Context = None,
    changes: Changes = None,
    new_name: Annotated[
        str | None, typer.Option("--name", help="Name of the new run. Default: the old one with a suffix.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the last checkpoint of the run, which has failed.")
    ] = False,
    output: options.Output = None,
) -> None:
    """Submit a new run with the spec of another one, changed by --set.

    The model's name, labels and annotations are not taken over.
    """
    from . import printing, submitting

    run = client(namespace, context).rerun(
        name, submitting.settings(changes or []), new_name=new_name, resume=resume
    )
    print(f"trainingrun/{run.name} submitted" if output is None else printing.as_one(run, output))


def download(
    run: options.RunOrResults,
    folder: Annotated[
        Path | None, typer.Argument(help="New folder for the model. Default: the run's name.")
    ] = None,
    namespace: options.Namespace = None,
    context: options.Context = None,
    endpoint: options.Endpoint = None,
) -> None:
    """Download the model of a run and verify its checksums; then `predict` can use it."""
    path = folder or Path(run.rstrip("/").rpartition("/")[2] or "model")
    print(client(namespace, context, endpoint).download(run, path))


def report(
    name: options.Name,
    namespace: options.Namespace = None,
    context: options.Context = None,
    output: ReportFile = None,
    endpoint: options.Endpoint = None,
    show: options.Show = True,
) -> None:
    """Fetch the report of a run, also while it trains, and open it in the browser."""
    from . import reports

    path = reports.fetch(client(namespace, context, endpoint), name, output)
    print(path)
    if show:
        typer.launch(path.as_uri())


def compare(
    runs: Runs,
    namespace: options.Namespace = None,
    context: options.Context = None,
    output: ComparisonFile = None,
    endpoint: options.Endpoint = None,
    show: options.Show = True,
) -> None:
    """Compare finished runs: scores, curves, classes, settings, and whether one is significantly better."""
    from . import comparing

    path = comparing.compare_runs(client(namespace, context, endpoint), runs, output)
    if path is not None:
        print(path)
        if show:
            typer.launch(path.as_uri())
