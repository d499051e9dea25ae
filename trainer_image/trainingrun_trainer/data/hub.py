"""Data sets on the Hugging Face Hub, read with its library `datasets`.

To be imported where one is read: the library takes a second, which runs on files need not wait for.
"""

import logging
import shutil
from pathlib import Path

from datasets import config
from datasets.arrow_dataset import Dataset
from datasets.builder import DatasetBuilder
from datasets.data_files import DataFilesDict
from datasets.download import DownloadConfig
from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError
from datasets.inspect import get_dataset_config_names, get_dataset_default_config_name
from datasets.load import load_dataset_builder
from datasets.utils.tqdm import disable_progress_bars
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.utils.tqdm import disable_progress_bars as disable_bars_of_downloads

from trainingrun_api.dataset import DataSource, HubDataset

from ..errors import DataError, first_line
from ..hub import TIMEOUT_SECONDS, HubRepository
from ..records import SourceFile
from .rows import listed
from .sources import FetchedSource

log = logging.getLogger(__name__)


def fetch_from_hub(source: DataSource, asked: HubDataset, folder: Path) -> FetchedSource:
    """Download the split into a new `folder`, as one Parquet file in which classes have their names.

    Raises DataError for what has to be changed in the spec, StorageUnavailableError for what may pass.
    """
    disable_progress_bars()
    disable_bars_of_downloads()
    repository = HubRepository(
        repo_id=asked.repo_id,
        revision=asked.revision,
        setting=f"{source.setting}.huggingFace",
        error=DataError,
        mirror=asked.endpoint,
        token_variable=asked.token_variable,
    )
    file = folder / "00000"
    with repository.errors():
        commit = _commit(repository)
        log.info("%s: downloading commit %s from %s", asked.name, commit, repository.endpoint)
        rows = _store(asked, repository, commit, file)
    log.info("%s: %d rows", asked.name, rows)
    name = asked.model_copy(update={"revision": commit}).name
    return FetchedSource(source, [SourceFile(name, file, kind=".parquet")], commit)


def _commit(repository: HubRepository) -> str:
    """What the revision stands for, once it is known that its files may be read."""
    found = repository.api.dataset_info(
        repository.repo_id, revision=repository.revision, timeout=TIMEOUT_SECONDS
    )
    commit, endpoint = str(found.sha), repository.endpoint
    for file in (found.siblings or [])[:1]:  # a gated repository is listed all the same
        url = hf_hub_url(
            repository.repo_id, file.rfilename, repo_type="dataset", revision=commit, endpoint=endpoint
        )
        get_hf_file_metadata(url, token=repository.token, timeout=TIMEOUT_SECONDS)
    return commit


def _store(asked: HubDataset, repository: HubRepository, commit: str, file: Path) -> int:
    """Write the rows of the split into `file`; gives their number."""
    config.HF_ENDPOINT = repository.endpoint  # the library has no argument for it
    cache = file.parent / "cache"
    how = DownloadConfig(cache_dir=cache / "downloads", token=repository.token)
    try:
        builder = _builder(asked, repository, commit, cache, how)
        # That all splits are there isn't checked: one is prepared.
        builder.download_and_prepare(download_config=how, verification_mode="no_checks")
        rows = builder.as_dataset(asked.split)
        assert isinstance(rows, Dataset)
        rows.to_parquet(file)
    except (DatasetNotFoundError, FileNotFoundError) as error:
        why = first_line(error)[:300]
        raise DataError(
            f"{repository.name}: there are no files that the library datasets reads ({why}); "
            f"choose another in {repository.setting}.repoId"
        ) from None
    except DatasetGenerationError as error:
        cause = error.__cause__ or error
        if isinstance(cause, OSError):
            raise cause from None
        raise DataError(f"{asked.name}: files can't be read ({first_line(cause)[:300]})") from None
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    return len(rows)


def _builder(
    asked: HubDataset, repository: HubRepository, commit: str, cache: Path, how: DownloadConfig
) -> DatasetBuilder:
    """What reads the split and nothing else."""
    try:
        names = get_dataset_config_names(asked.repo_id, revision=commit, download_config=how)
        chosen = asked.config or get_dataset_default_config_name(
            asked.repo_id, revision=commit, download_config=how
        )
        if chosen not in names:
            which = f"no configuration {chosen!r}; there are" if chosen else "several configurations:"
            raise DataError(
                f"{repository.name} has {which} {listed(names)}. Name one in {repository.setting}.config"
            )
        builder = load_dataset_builder(
            asked.repo_id, chosen, cache_dir=str(cache), revision=commit, download_config=how
        )
    except (RuntimeError, ValueError) as error:
        raise DataError(_unusable(repository, error)) from None
    files = builder.config.data_files
    assert isinstance(files, DataFilesDict)  # as of all repositories
    if asked.split not in files:
        raise DataError(
            f"{repository.name} has no split {asked.split!r}; there are {listed(files)}. "
            f"Name one in {repository.setting}.split"
        )
    builder.config.data_files = DataFilesDict({asked.split: files[asked.split]})
    return builder


def _unusable(repository: HubRepository, error: Exception) -> str:
    if "Dataset scripts" in str(error):
        return (
            f"{repository.name} is read by a script, and code from the Hub is never run; choose a repository "
            "with data files (many have a copy in Parquet: "
            f"{repository.setting}.revision refs/convert/parquet)"
        )
    return f"{repository.name} can't be read by the library datasets: {first_line(error)[:300]}"
