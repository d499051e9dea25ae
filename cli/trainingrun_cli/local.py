"""A manifest trained in this process: the trainer's own pipeline, with folders in place of buckets."""

import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError
from rich.console import Console

from trainingrun_api.artifacts import ArtifactName
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.lineage import lineage_after
from trainingrun_api.model_names import candidate_names
from trainingrun_api.problems import problems
from trainingrun_api.progress import ProgressReport, RunIdentity
from trainingrun_api.references import Output
from trainingrun_api.run_config import (
    BaseModelSource,
    HubModel,
    References,
    RunConfig,
)
from trainingrun_api.status import RunResult
from trainingrun_client.errors import ClientError
from trainingrun_client.outputs import newest_output, storage_at
from trainingrun_client.run_manifest import RunManifest
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.machine import lacking_gpus

from .copies import where_looked, with_local_copies
from .display import (
    RunDisplay,
    advice_lines,
    artifacts_lines,
    classes_table,
    data_line,
    progress_bars,
    published_line,
    scores_table,
    sources_table,
    terminal,
)


def train(manifest: RunManifest, output: Path, data: Path, endpoint: str | None = None) -> None:
    """Train `manifest` and print its scores; results go under `output`.

    Raises ClientError for what the user can mend in manifest or data.
    """
    console = terminal()
    config = local_config(manifest, output, data, endpoint)
    data_sets = ", ".join(source.place for source in config.sources)
    line = f"{config.run.name}: model {config.model_name}, data from {data_sets}"
    console.print(line, highlight=False, soft_wrap=True)
    if lack := lacking_gpus(config.gpus_per_node):
        console.print(f"{lack}: training on the CPU", style="yellow", highlight=False, soft_wrap=True)
    elif config.gpus_per_node > 1:
        console.print("A local run trains on one GPU, with the same results", style="yellow")
    with progress_bars(console) as bars, _warnings_above(display := RunDisplay(bars)):

        def listen(report: ProgressReport) -> None:
            display.update(report.progress, report.epochs or [])

        try:
            result = pipeline.run(config, listen)
        except TrainerError as error:
            looked = (
                where_looked(source.place, data)
                for source in config.all_sources
                if source.place in str(error)
            )
            raise ClientError("\n  ".join([str(error), *filter(None, looked)])) from error
    _print_result(console, config, result)


def local_config(manifest: RunManifest, output: Path, data: Path, endpoint: str | None = None) -> RunConfig:
    """The run's configuration, with the output in a folder and data from local copies where there are any.

    A new UID each time: a second try never mixes with the first. `endpoint` takes the place of the run's own
    for what is read from S3.
    """
    run = RunIdentity(namespace=manifest.namespace, name=manifest.name, uid=str(uuid.uuid4()))
    if manifest.spec.own.resume_from is not None:
        raise ClientError("spec.resumeFrom: a local run can't resume a failed one; leave it out")
    if manifest.spec.own.trainer is not None:
        raise ClientError("spec.trainer: a local run can't use a trainer in an image; leave it out")
    spec = replace(manifest.spec, output=_local_output(manifest.spec.output, output, endpoint))
    model_name = spec.own.model_name or next(candidate_names(run.uid))
    found = References(_base_model(manifest, output), manifest.others)
    # HF_ENDPOINT and HF_TOKEN are what users of the hub have set already.
    config = RunConfig.of(run, model_name, spec, found, os.environ.get("HF_ENDPOINT"))
    return with_local_copies(config, data)


def _local_output(wanted: Output, folder: Path, endpoint: str | None) -> Output:
    """The folder, and how what the run reads from S3 is reached."""
    storage = storage_at(endpoint or wanted.endpoint, wanted.region)
    place = folder.resolve().as_uri()
    return Output(uri=place, formats=wanted.formats, endpoint=storage.endpoint, region=storage.region)


def _base_model(manifest: RunManifest, output: Path) -> BaseModelSource:
    wanted = manifest.spec.base_model
    if wanted is None:
        return BaseModelSource()
    if wanted.hugging_face is not None:
        asked = wanted.hugging_face
        hub = HubModel(repo_id=asked.repo_id, revision=asked.revision, endpoint=os.environ.get("HF_ENDPOINT"))
        return BaseModelSource(hub=hub)
    if wanted.from_run is None:
        return _elsewhere(wanted.uri)
    earlier = output / manifest.namespace / wanted.from_run.name
    finished = newest_output(earlier)
    if finished is None:
        raise ClientError(
            f"baseModel.fromRun: no finished run {wanted.from_run.name!r} under {earlier}; train it first"
        )
    return _of_run(wanted.from_run.name, finished.resolve())


def _elsewhere(uri: str | None) -> BaseModelSource:
    if uri is not None and uri.startswith("pvc://"):
        raise ClientError(
            f"baseModel.uri: {uri} is a volume of a cluster; copy the model here and name its folder as file://"
        )
    return BaseModelSource(uri=uri)


def _of_run(name: str, output: Path) -> BaseModelSource:
    file = output / ArtifactName.EVALUATION
    try:
        earlier = Evaluation.model_validate_json(file.read_bytes(), extra="ignore")
    except ValidationError as error:
        wrong = "; ".join(problems(error))
        raise ClientError(
            f"baseModel.fromRun: {file} can't be read ({wrong}); train {name!r} again"
        ) from error
    lineage = lineage_after(name, earlier.model_name, earlier.base_model)
    return BaseModelSource(uri=(output / ArtifactName.MODEL).as_uri(), from_run=name, lineage=lineage)


@contextmanager
def _warnings_above(display: RunDisplay) -> Iterator[None]:
    """Warnings are shown above the bar meanwhile."""
    root, handler = logging.getLogger(), _DisplayHandler(display)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _DisplayHandler(logging.Handler):
    """Warnings above the bar; what else the trainer logs, the display shows in its own way."""

    def __init__(self, display: RunDisplay) -> None:
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message."""
        self._display.say(record.getMessage())


def _print_result(console: Console, config: RunConfig, result: RunResult) -> None:
    path = unquote(urlsplit(result.artifacts.evaluation).path)
    evaluation = Evaluation.model_validate_json(Path(path).read_text())
    console.print(data_line(config, evaluation.data, result.evaluation), highlight=False, soft_wrap=True)
    console.print(published_line(result, evaluation.chosen_by), highlight=False, soft_wrap=True)
    console.print(scores_table(result.evaluation, result.final_fit))
    if evaluation.classification:
        console.print(classes_table(evaluation.classification.worst_first))
    if len(evaluation.data.sources) > 1:
        console.print(sources_table(evaluation.sources))
    for line in (*advice_lines(evaluation.advice), *artifacts_lines(result.artifacts)):
        console.print(line, highlight=False, soft_wrap=True)
    if result.artifacts.report:
        report = unquote(urlsplit(result.artifacts.report).path)
        console.print(f"Open the report in a browser: {report}", highlight=False, soft_wrap=True)
