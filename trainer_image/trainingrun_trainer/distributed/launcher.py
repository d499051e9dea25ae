"""Starts the processes of this node with torchrun's launcher, and ends as they do."""

import os
import socket
import sys
import tempfile

from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from trainingrun_api.names import GRACE_SECONDS, ExitCode

from ..errors import PeerLostError
from ..settings import ProcessLayout
from .node import FOLDER_VARIABLE
from .rendezvous import meet_nodes

START_SECONDS = 120
"""That all nodes have, once they have met, to start their processes."""

TO_END = 5
"""Seconds of the grace that are kept for ending what is left."""


def launch(layout: ProcessLayout) -> int:
    """Run the trainer in each of the node's processes; gives the exit code of this one.

    That is the one of the process that failed by itself, not of those that lost it.
    """
    if layout.nodes == 1:
        layout = layout._replace(address="127.0.0.1", port=_free_port())
    first = meet_nodes(layout)
    config = LaunchConfig(
        min_nodes=layout.nodes,
        max_nodes=layout.nodes,
        nproc_per_node=layout.processes,
        run_id="run",
        rdzv_backend="static",
        rdzv_endpoint=f"{layout.address}:{layout.port}",
        rdzv_configs={"rank": layout.node, "timeout": START_SECONDS},
        local_addr=layout.address if layout.nodes == 1 else None,
        max_restarts=0,
        shutdown_timeout=GRACE_SECONDS - TO_END,
    )
    with tempfile.TemporaryDirectory(prefix="trainingrun-node-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER_VARIABLE] = folder
        os.environ.setdefault("OMP_NUM_THREADS", str(_threads(layout.processes)))
        try:
            elastic_launch(config, sys.executable)("-m", "trainingrun_trainer")
        except SignalException:
            return ExitCode.INTERRUPTED
        except ChildFailedError as error:
            return cause_of([failure.exitcode for failure in error.failures.values()])
        except RuntimeError as error:  # of the rendezvous
            raise PeerLostError(str(error)) from error
        finally:
            del first
    return ExitCode.OK


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _threads(processes: int) -> int:
    return max(len(os.sched_getaffinity(0)) // processes, 1)


def cause_of(codes: list[int]) -> int:
    """The exit code that says most; one that a signal ended has 128 and its number, as shells have it.

    That SIGTERM did says least: the launcher stops all processes of its node by it once one has ended.
    """
    code = min(codes, key=lambda one: (one == ExitCode.INTERRUPTED, one == ExitCode.PEER_LOST))
    return code if code >= 0 else 128 - code
