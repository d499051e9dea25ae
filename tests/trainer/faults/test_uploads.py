"""Uploads that are killed, and two at once: what is read of them is whole, or not taken."""

import random
import shutil
import time
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from promises import Promise, forms

from localcluster import S3Server
from trainingrun_api.run_config import Storage
from trainingrun_trainer.artifacts import commit_folder, fetch_committed, open_store
from trainingrun_trainer.errors import AlreadyWrittenError

from .attempts import LONGEST_SECONDS, forked, start

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

WON = "committed"

SIZES = {"config.json": 1_000, "history.json": 50_000, "state.bin": 400_000, "1_Pooling/config.json": 0}
LARGE = {**SIZES, "model.safetensors": 9 * 2**20}
"""With a file that is uploaded in parts."""
SPARE_KILLS = 100


def write_version(folder: Path, version: int, sizes: dict[str, int]) -> Path:
    """Files that are all of one byte, which tells the version."""
    for name, size in sizes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes([version % 251]) * size)
    return folder


def versions_in(folder: Path) -> set[int]:
    return {byte for path in folder.rglob("*") if path.is_file() for byte in set(path.read_bytes())}


def upload_for_ever(uri: str, storage: Storage, folder: Path, first: int, took: Connection) -> None:
    """Commit one version after the other to the same place; `took` is told the seconds of each."""
    store = open_store(uri, storage)
    for version in count(first):
        begun = time.monotonic()
        sizes = LARGE if version % 3 == 2 else SIZES
        commit_folder(store, write_version(folder / str(version), version, sizes), uri)
        took.send(time.monotonic() - begun)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", forms(5, 500))
def test_no_torn_checkpoint_is_ever_loaded(
    s3_credentials: S3Server, kills: int, tmp_path: Path, promise: Promise
) -> None:
    storage, chance = Storage(endpoint=s3_credentials.endpoint), random.Random(kills)
    uri, store = "s3://bucket/faults/torn", open_store("s3://bucket", storage)
    loaded = kill = 0
    # Few kills may all fall into the same half of a commit: then it takes some more to have seen both.
    while kill < kills or (not 0 < loaded < kill and kill < kills + SPARE_KILLS):
        here, there = forked().Pipe(duplex=False)
        process = start(upload_for_ever, uri, storage, tmp_path / f"up-{kill}", 1000 * kill, there)
        assert here.poll(LONGEST_SECONDS)
        time.sleep(chance.uniform(0, 2) * here.recv())
        process.kill()
        process.join()
        shutil.rmtree(tmp_path / f"up-{kill}")
        if fetch_committed(store, uri, tmp_path / f"down-{kill}"):
            loaded += 1
            assert len(versions_in(tmp_path / f"down-{kill}")) == 1
        shutil.rmtree(tmp_path / f"down-{kill}", ignore_errors=True)
        kill += 1
    assert 0 < loaded < kill, "neither all nor none of them are whole: the moments are well chosen"
    promise(
        "Trainer",
        "No torn checkpoint is ever loaded, wherever its upload is killed",
        f"{kill} kills; {loaded} times a whole one was there, and {kill - loaded} times none was taken",
    )


def race(uri: str, storage: Storage, folder: Path, begin: Barrier, told: Connection) -> None:
    """Commit a folder at the same time as another process; tells what came of it."""
    store = open_store(uri, storage)
    store.exists(uri)
    write_version(folder, 1, SIZES)
    begin.wait()
    try:
        commit_folder(store, folder, uri)
        told.send(WON)
    except AlreadyWrittenError as error:
        told.send(str(error))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rounds", forms(2, 200))
def test_of_two_commits_at_the_same_moment_one_succeeds_and_the_folder_is_whole(
    s3_credentials: S3Server, rounds: int, tmp_path: Path, promise: Promise
) -> None:
    storage = Storage(endpoint=s3_credentials.endpoint)
    store = open_store("s3://bucket", storage)
    for number in range(rounds):
        uri, begin = f"s3://bucket/faults/race-{rounds}-{number}", forked().Barrier(2)
        pipes = []
        for name in ("one", "two"):
            here, there = forked().Pipe(duplex=False)
            start(race, uri, storage, tmp_path / f"{number}-{name}", begin, there)
            pipes.append(here)
        said = sorted(pipe.recv() for pipe in pipes)
        assert said[0] == WON
        assert said[1] == WON or "another trainer wrote it in the meantime" in said[1]
        assert fetch_committed(store, uri, tmp_path / f"down-{number}")
    promise("Trainer", "Of two commits of one checkpoint at the same moment one succeeds", f"{rounds} times")
