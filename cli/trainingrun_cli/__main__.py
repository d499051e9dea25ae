"""The `trainingrun` command: try a manifest on this machine, run it on a cluster, use its model."""

import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from trainingrun_api import __version__
from trainingrun_api.names import REPORT_FAULTS, ExitCode
from trainingrun_api.visible import visible
from trainingrun_client.errors import ClientError, UnreachableError

from . import cluster_commands, local_commands

PLUGIN = "kubectl-trainingrun"
"""What kubectl looks for when it is asked for `kubectl trainingrun`."""

INSTALL_ALL = "install trainingrun[cli,trainer] for commands that read data as training does, or train"

HERE = "On this machine"
ON_THE_CLUSTER = "On the cluster"

COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    HERE: {
        "init": local_commands.init,
        "run": local_commands.run,
        "validate": local_commands.validate,
        "predict": local_commands.predict,
    },
    ON_THE_CLUSTER: {
        "submit": cluster_commands.submit,
        "list": cluster_commands.list_runs,
        "watch": cluster_commands.watch,
        "logs": cluster_commands.logs,
        "report": cluster_commands.report,
        "compare": cluster_commands.compare,
        "suspend": cluster_commands.suspend,
        "resume": cluster_commands.resume,
        "stop": cluster_commands.stop,
        "rerun": cluster_commands.rerun,
        "download": cluster_commands.download,
    },
}

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown")
for panel, commands in COMMANDS.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"trainingrun {__version__}")
        raise typer.Exit


@app.callback()
def trainingrun(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Fine-tune text classifiers, on Kubernetes or here.

    Exit status:

    - 0: done
    - 1: the answer is no: a manifest is invalid, or a run that was watched didn't succeed
    - 2: it can't be done; a line on standard error says what to change
    - 70: a bug in TrainingRun
    - 75: cluster or object store don't answer; the same may work later
    - 130: interrupted
    """


def main() -> None:
    """Run the command; an error a user can mend is one line on stderr, with the exit status of its kind.

    The trace of an unexpected one goes to a file.
    """
    plugin = Path(sys.argv[0]).name == PLUGIN
    try:
        app(prog_name="kubectl trainingrun" if plugin else None)
    except ClientError as error:
        print(f"trainingrun: {error}", file=sys.stderr)
        sys.exit(ExitCode.TEMPORARY if isinstance(error, UnreachableError) else 2)
    except ModuleNotFoundError as error:
        print(f"trainingrun: Python package {error.name} is missing; {INSTALL_ALL}", file=sys.stderr)
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
