"""Runs of a namespace, by the verbs of the `trainingrun` command."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trainingrun_api.artifacts import ArtifactName
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.resources import TrainingProject, TrainingRun

from .documents import Documents
from .errors import ClientError
from .logs import LogLine, WantedLogs, followed_logs, logs_so_far
from .reruns import rerun_of
from .watches import watched

if TYPE_CHECKING:
    from .connection import Connection
    from .stored_runs import StoredRun

Resource = TypeVar("Resource", TrainingRun, TrainingProject)


class Client:
    """The runs of one namespace of a cluster.

    All methods raise ClientError, whose message says what to change, and UnreachableError, one of them, when
    cluster or object store don't answer.
    """

    def __init__(
        self, namespace: str | None = None, *, context: str | None = None, endpoint: str | None = None
    ) -> None:
        """By default, with the namespace of the context, and the current context of kubectl.

        `endpoint` is the URL of the object store as it is reached from here, if it isn't that of the runs.
        Nothing is read or connected to before it is needed.
        """
        self._namespace, self._context, self._endpoint = namespace, context, endpoint

    @cached_property
    def connection(self) -> "Connection":
        """The cluster."""
        from .connection import Connection  # noqa: PLC0415  # the library takes a second to import

        return Connection.open(self._namespace, self._context)

    @property
    def namespace(self) -> str:
        """Where the runs are."""
        return self.connection.namespace

    def submit(self, resource: Resource, *, dry_run: bool = False) -> Resource:
        """Apply a run or project on the server's side, as it is then; one with generateName is created.

        With `dry_run`, the cluster checks it and keeps nothing.
        """
        return self.connection.apply(type(resource), resource.manifest, dry_run=dry_run)

    def submit_all(
        self, documents: Documents, *, dry_run: bool = False
    ) -> Sequence[TrainingRun | TrainingProject]:
        """Submit the projects of a file, and then its runs; resources of other API groups are left out."""
        if not documents.ours:
            raise ClientError(f"{documents.path}: there is no TrainingRun or TrainingProject to submit")
        runs = [written for one, written in documents.ours if isinstance(one, TrainingRun)]
        projects = [written for one, written in documents.ours if isinstance(one, TrainingProject)]
        return [
            *(self.connection.apply(TrainingProject, one, dry_run=dry_run) for one in projects),
            *(self.connection.apply(TrainingRun, one, dry_run=dry_run) for one in runs),
        ]

    def get(self, name: str) -> TrainingRun:
        """A run as it is now."""
        return self.connection.get(TrainingRun, name)

    def list(self, *, all_namespaces: bool = False) -> Sequence[TrainingRun]:
        """All runs, the oldest first."""
        runs, _ = self.connection.list(TrainingRun, all_namespaces=all_namespaces)
        return sorted(runs, key=lambda run: run.metadata.creation_timestamp or "")

    def watch(self, *names: str, timeout: float | None = None) -> Iterator[TrainingRun]:
        """Each of these runs as it is now and after each change, until all of them have ended.

        Raises ClientError when one isn't there or is deleted, or after `timeout` seconds.
        """
        return watched(self.connection, names, timeout)

    def logs(
        self, name: str, *, follow: bool = False, node: int | None = None, tail: int | None = None
    ) -> Iterator[LogLine]:
        """What the run's pods have logged, of all attempts whose pods are there; also what they will log
        until the run ends, if asked to `follow`. `tail` limits the lines of each pod.
        """
        read = followed_logs if follow else logs_so_far
        return read(self.connection, name, WantedLogs(node, tail))

    def suspend(self, name: str) -> TrainingRun:
        """Stop the run's pods, after they have saved a checkpoint, until it is resumed."""
        return self._change_unfinished(name, {"suspend": True})

    def resume(self, name: str) -> TrainingRun:
        """Have a suspended run continue from its last checkpoint."""
        return self._change_unfinished(name, {"suspend": False})

    def stop(self, name: str) -> TrainingRun:
        """End a run for good, after its pods have saved a checkpoint: it counts as failed."""
        return self._change_unfinished(name, {"stop": True})

    def rerun(
        self,
        name: str,
        settings: Mapping[str, Any] | None = None,
        *,
        new_name: str | None = None,
        resume: bool = False,
    ) -> TrainingRun:
        """Submit a new run with the spec of this one, changed by `settings`: values by their paths in the
        spec, such as {"training.maxEpochs": 10}; None removes one.

        A model name isn't taken over, since the first run has it. Without a `new_name`, the API server
        completes the old one. With `resume`, a failed run's last checkpoint is continued from.
        """
        return self.submit(rerun_of(self.get(name), settings or {}, new_name, resume=resume))

    def results(self, run: str) -> "StoredRun":
        """Where the results of a run are: one by its name, or a folder or URI of results, with a slash."""
        from .stored_runs import stored_run  # noqa: PLC0415  # what speaks to object stores is slow to import

        return stored_run(run, lambda: self.connection, self._endpoint)

    def evaluation(self, run: str) -> Evaluation:
        """All scores and curves of a run, also while it trains: its evaluation.json."""
        return self.results(run).parsed(ArtifactName.EVALUATION, Evaluation)

    def download(self, run: str, folder: Path) -> Path:
        """Copy the published model of a run to a new folder, verified by its checksums; gives that folder."""
        self.results(run).download_model(folder)
        return folder

    def _change_unfinished(self, name: str, spec: Mapping[str, Any]) -> TrainingRun:
        phase = self.get(name).status.phase
        if phase.finished:
            raise ClientError(f"TrainingRun {self.namespace}/{name} has ended ({phase})")
        return self.connection.change(name, spec)
