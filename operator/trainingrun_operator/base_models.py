"""Where a run's base model is read from: values made from its spec and from the run that it names."""

from trainingrun_api.base_model import BaseModel
from trainingrun_api.lineage import lineage_after
from trainingrun_api.run_config import BaseModelSource, HubModel
from trainingrun_api.status import Phase, Reason

from .blocked import Blocked
from .pod_template import BASE_MODEL_FOLDER
from .resources import Run
from .settings import Settings


def source_of(model: BaseModel | None, settings: Settings) -> BaseModelSource:
    """Of a model that no run of the namespace has made; None is the one in the trainer image."""
    allow_pickled = settings.allow_pickled_models
    if model is None:
        return BaseModelSource()
    if model.hugging_face is not None:
        asked = model.hugging_face
        hub = HubModel(repo_id=asked.repo_id, revision=asked.revision, endpoint=settings.hub_endpoint)
        return BaseModelSource(hub=hub, allow_pickled=allow_pickled)
    mount = BASE_MODEL_FOLDER if (model.uri or "").startswith("pvc://") else None
    return BaseModelSource(uri=model.uri, mount_path=mount, allow_pickled=allow_pickled)


def in_a_circle(names: list[str]) -> Blocked:
    """Of runs each of which starts from the next one, and the last from the first."""
    links = [f"{run} starts from {base}" for run, base in zip(names, [*names[1:], names[0]], strict=True)]
    text = (
        f"TrainingRuns wait for each other's models: {', '.join(links)}; "
        "set another spec.baseModel in a new run"
    )
    return Blocked(Reason.BASE_MODEL_FAILED, text, permanent=True)


def source_of_run(parent: Run) -> BaseModelSource | Blocked:
    """Of the model that an earlier run has made."""
    name, status = parent.key.name, parent.status
    if status.phase is Phase.FAILED:
        text = f"Base model: TrainingRun {name} has failed; set another spec.baseModel in a new run"
        return Blocked(Reason.BASE_MODEL_FAILED, text, permanent=True)
    if status.phase is not Phase.SUCCEEDED or status.artifacts is None:
        text = f"Base model: TrainingRun {name} is {status.phase}; waiting until it succeeds"
        return Blocked(Reason.BASE_MODEL_NOT_READY, text)
    lineage = lineage_after(name, status.model_name, status.base_model)
    return BaseModelSource(uri=status.artifacts.model, from_run=name, lineage=lineage)
