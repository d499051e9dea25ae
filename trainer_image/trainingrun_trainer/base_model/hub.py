"""Download a model from the Hugging Face hub or a mirror of it."""

from pathlib import Path

from huggingface_hub.utils.tqdm import disable_progress_bars

from trainingrun_api.run_config import HubModel

from .. import model
from ..errors import ModelError
from ..hub import TIMEOUT_SECONDS, HubRepository

SETTING = "spec.baseModel.huggingFace"


def download(hub: HubModel, folder: Path, *, allow_pickled: bool) -> str:
    """Copy the model's files into `folder`; gives the commit they are of.

    Raises ModelError for what has to be changed in the spec, StorageUnavailableError for what may pass.
    """
    disable_progress_bars()
    repository = HubRepository(hub.repo_id, hub.revision, SETTING, ModelError, hub.endpoint)
    with repository.errors():
        found = repository.api.model_info(hub.repo_id, revision=hub.revision, timeout=TIMEOUT_SECONDS)
        names = [file.rfilename for file in found.siblings or []]
        wanted = model.wanted_files(names, allow_pickled=allow_pickled)
        commit = str(found.sha)
        # One by one: a snapshot asks for the repository's tree, which not every mirror knows.
        for name in wanted:
            repository.api.hf_hub_download(hub.repo_id, name, revision=commit, local_dir=folder)
    if "config.json" not in wanted:
        raise ModelError(f"{repository.name}: there is no config.json; choose another in {SETTING}.repoId")
    return commit
