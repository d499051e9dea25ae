"""The data of a manifest, read as training reads them."""

import tempfile
from dataclasses import replace
from pathlib import Path

from trainingrun_api.progress import RunIdentity
from trainingrun_api.references import Output
from trainingrun_api.run_config import BaseModelSource, References, RunConfig
from trainingrun_client.errors import ClientError
from trainingrun_client.run_manifest import RunManifest
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.tasks.loading import load_task

from .copies import where_looked, with_local_copies


def check(manifest: RunManifest, data: Path) -> str:
    """What is in the data sets, of which there are copies under `data`; warnings are logged.

    Raises ClientError for data that can't be trained on.
    """
    config = with_local_copies(_config(manifest), data)
    for place in (source.place for source in config.all_sources):
        if not place.startswith("file://"):
            return f"data not checked: {where_looked(place, data) or f'{place} is not on this machine'}"
    with tempfile.TemporaryDirectory(prefix="trainingrun-") as folder:
        try:
            found = load_task(config, Path(folder) / "data").data
        except TrainerError as error:
            raise ClientError(str(error)) from error
    labels = f" with {len(found.labels)} labels" if found.labels else ""
    counts = found.counts
    return (
        f"{counts.read} rows read{labels}: {counts.training} to train on, {counts.evaluation} to evaluate on"
    )


def _config(manifest: RunManifest) -> RunConfig:
    run = RunIdentity(namespace=manifest.namespace, name=manifest.name, uid="")
    nowhere = replace(manifest.spec, output=Output(uri="file:///nowhere"))
    found = References(BaseModelSource(), manifest.others)
    return RunConfig.of(run, manifest.name, nowhere, found, None)
