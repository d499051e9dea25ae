"""What a checkpoint costs training, and what is lost without one; written beside this package."""

import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
from benchmarks.checkpoint.loss import Loss, measure_loss
from benchmarks.checkpoint.stall import REPEATS, Stall, measure_stall
from benchmarks.models import DEFAULT, bert_base

from localcluster import S3Server
from trainingrun_api.run_config import Storage

RESULTS = Path(__file__).parents[1] / "RESULTS-checkpoint.md"

BUCKET = "bucket"

INTERVAL = 600
"""Seconds between two checkpoints by default."""

MOST_SHARE = 0.02
"""Of the time that training takes."""


def main() -> None:
    """Measure against a real S3 server on this machine."""
    with tempfile.TemporaryDirectory() as folder, S3Server() as server:
        storage = _storage(server)
        models = {"default model": DEFAULT, "BERT-base, random weights": bert_base(Path(folder) / "bert")}
        stalls = {
            name: measure_stall(path, storage, f"s3://{BUCKET}/stall-{number}", Path(folder))
            for number, (name, path) in enumerate(models.items())
        }
        loss = measure_loss(storage, f"s3://{BUCKET}/loss", Path(folder))
    RESULTS.write_text("\n".join(_lines(stalls, loss)) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def _storage(server: S3Server) -> Storage:
    os.environ["AWS_ACCESS_KEY_ID"] = server.access_key
    os.environ["AWS_SECRET_ACCESS_KEY"] = server.secret_key
    client = boto3.client("s3", endpoint_url=server.endpoint, region_name=server.region)
    client.create_bucket(Bucket=BUCKET)
    client.close()
    return Storage(endpoint=server.endpoint, region=server.region)


def _lines(stalls: dict[str, Stall], loss: Loss) -> Iterator[str]:
    yield "# What checkpoints cost, and what is lost without one"
    yield ""
    yield f"Written by `make bench-checkpoint`: full training on the CPU, one thread, medians of {REPEATS};"
    yield f"the S3 server runs on the same machine. {platform.machine()}, Python {platform.python_version()}."
    yield ""
    yield "## The stall"
    yield ""
    yield (
        "Training stands while the state is written to the machine's disk. The upload, with its hashes, goes"
    )
    yield (
        "on beside later steps; its processor time is that of the trainer's process. The stall is the sum of"
    )
    yield "the two: what training loses if no core is free for the upload. The machine, of"
    busy = os.getloadavg()[2]
    yield f"{os.cpu_count()} cores, was shared: over the last quarter of an hour {busy:.0f} threads"
    yield "were running or waiting for a core, so that times are long rather than short."
    yield ""
    yield (
        "| Model | Parameters, million | Checkpoint, MB | Training stands, s | Copying to memory, s "
        "| Upload, s | of the processor, s | A step, s | Stall at most, s | of 10 minutes, % |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, stall in stalls.items():
        yield (
            f"| {name} | {stall.parameters / 1e6:.0f} | {stall.bytes / 1e6:,.0f} | {stall.stands:.2f} "
            f"| {stall.copying:.2f} | {stall.upload:.1f} | {stall.upload_processor:.2f} | {stall.step:.2f} "
            f"| {stall.seconds:.2f} | {100 * stall.seconds / INTERVAL:.2f} |"
        )
    yield ""
    yield "Copying the state to memory first, and writing it beside training, would save at most what the two"
    yield "columns differ by, for as much memory as the checkpoint takes: it isn't done."
    yield ""
    yield "## The loss"
    yield ""
    yield "The default model with `everyMinutes: 1`, in a process of its own."
    yield ""
    yield (
        "| Signal | Trained when it came, s | Steps done | Went on after step | Steps lost "
        "| Training lost, s | Signal to next step, s |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for end in loss.ends:
        yield (
            f"| {end.signal} | {end.trained:.0f} | {end.steps} | {end.resumed} | {end.steps - end.resumed} "
            f"| {end.lost:.1f} | {end.away:.1f} |"
        )
    yield ""
    yield "| Wanted | Measured | Reached |"
    yield "| --- | ---: | --- |"
    worst = max(stall.seconds for stall in stalls.values()) / INTERVAL
    yield _target(
        "a stall of at most 2 % at everyMinutes 10, upload included",
        f"{100 * worst:.2f} %",
        worst <= MOST_SHARE,
    )
    killed, stopped = loss.ends
    yield _target("SIGKILL loses at most everyMinutes", f"{killed.lost:.1f} s", killed.lost <= loss.interval)
    lost = stopped.steps - stopped.resumed
    yield _target("SIGTERM loses no step", str(lost), lost == 0)


def _target(wanted: str, measured: str, reached: bool) -> str:
    return f"| {wanted} | {measured} | {'yes' if reached else '**no**'} |"


if __name__ == "__main__":
    main()
