"""What the shell offers to complete."""

import typer

from trainingrun_client.errors import ClientError


def run_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Runs of the namespace that the command line names so far; none when the cluster doesn't answer."""
    from trainingrun_client import Client  # noqa: PLC0415  # options are completed without it

    try:
        runs = Client(ctx.params.get("namespace"), context=ctx.params.get("context")).list()
    except ClientError:
        return []
    return [run.name for run in runs if run.name.startswith(incomplete)]
