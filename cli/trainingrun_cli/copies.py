"""Copies on this machine of data sets in S3."""

from pathlib import Path
from urllib.parse import quote

from trainingrun_api.dataset import DataSource
from trainingrun_api.run_config import RunConfig, Storage
from trainingrun_trainer.artifacts import Store, is_pattern, matching, open_store

UNQUOTED = "/*?[]!"
"""What means the same in the pattern of an object's key and in that of a file's URI."""


def with_local_copies(config: RunConfig, data: Path) -> RunConfig:
    """The configuration of a run that reads copies under `data` of its data sets, where there are any."""
    dataset, *additional = (local_copy(source, data) for source in config.sources)
    evaluation = local_copy(config.evaluation_dataset, data) if config.evaluation_dataset else None
    return config.model_copy(
        update={"dataset": dataset, "additional_datasets": additional, "evaluation_dataset": evaluation}
    )


def local_copy(dataset: DataSource, data: Path) -> DataSource:
    """The data set with files under `data` in place of those in S3.

    Of the same path or the longest end of it: for s3://bucket/team/a.jsonl bucket/team/a.jsonl, team/a.jsonl
    or a.jsonl. Unchanged where there are none.
    """
    folder, store = data.resolve().as_uri(), open_store("file:///", Storage())
    for name in _names_of_copies(dataset.place):
        uri = f"{folder}/{quote(name, safe=UNQUOTED)}"
        if _is_there(store, uri):
            return dataset.model_copy(update={"uri": uri})
    return dataset


def where_looked(uri: str, data: Path) -> str:
    """In words, for a data set in S3 that has no local copy; "" for one that is here."""
    names = ", ".join(_names_of_copies(uri))
    return names and f"{uri} has no copy under {data} (looked for {names}); --data names another folder"


def _names_of_copies(uri: str) -> list[str]:
    if not uri.startswith("s3://"):
        return []
    parts = uri.removeprefix("s3://").split("/")
    names = ("/".join(parts[first:]) for first in range(len(parts)))
    return [name for name in names if name and not name.startswith("/")]


def _is_there(store: Store, uri: str) -> bool:
    if uri.endswith("/"):
        return bool(store.files(uri))
    return store.exists(uri) or (is_pattern(uri) and bool(matching(store, uri)))
