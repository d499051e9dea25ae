"""Measure, and write what was found beside this package as RESULTS-data.md."""

import argparse
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import memory, texts
from .library import LIBRARY, OWN, measured_beside_library
from .memory import Peak
from .speed import THRESHOLDS, Speed, exact, near, store

RESULTS = Path(__file__).parents[1] / "RESULTS-data.md"


def main() -> None:
    """Measure all of it; ten minutes and more for five million texts."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=5_000_000, help="texts whose peak memory is measured")
    options.add_argument("--pairs", type=int, default=500_000, help="pairs whose peak memory is measured")
    options.add_argument("--beside", type=int, default=500_000, help="texts of the pair with lists")
    options.add_argument("--speed", type=int, default=200_000, help="texts of the measurements of speed")
    options.add_argument("--library", type=int, default=1_000_000, help="texts of the pair with datasets")
    chosen = options.parse_args()
    speeds = [exact(chosen.speed), *(near(chosen.speed // 2, threshold) for threshold in THRESHOLDS)]
    written = store(chosen.speed)
    many, pairs = _peaks(chosen.texts, "disk"), _peaks(chosen.pairs, "pairs")
    few, lists = _peaks(chosen.beside, "disk"), _peaks(chosen.beside, "lists")
    own, library = (_beside_library(way, chosen.library) for way in (OWN, LIBRARY))
    lines = [
        *_head(),
        *_speed_lines(speeds, written),
        *_memory_lines("texts", chosen.texts, many),
        *_memory_lines("pairs", chosen.pairs, pairs),
        *_beside_lines(chosen.beside, few, lists),
        *_library_lines(chosen.library, own, library),
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def _peaks(count: int, way: str) -> list[Peak]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.jsonl"
        (texts.write_pairs if way == "pairs" else texts.write)(path, count)
        return memory.measured(path, way)


def _beside_library(way: str, count: int) -> list[Peak]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.jsonl"
        texts.write(path, count)
        return measured_beside_library(path, way, count)


def _head() -> Iterator[str]:
    yield "# What data sets cost"
    yield ""
    yield "Written by `make bench-data`. One thread throughout; speeds are texts a second of processor time,"
    yield "so that what else the machine does hardly counts. Made-up texts of ten words on average, a tenth"
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    yield f"of them duplicates and a tenth near-duplicates. {machine}."
    yield ""


def _speed_lines(speeds: list[Speed], written: float) -> Iterator[str]:
    yield "## Speed"
    yield ""
    yield "| What | Texts | Texts a second | Peer | Its texts a second | Ratio | Found | Found by the peer |"
    yield "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |"
    for one in speeds:
        yield (
            f"| {one.what} | {one.texts:,} | {one.ours:,.0f} | {one.peer} | {one.theirs:,.0f} | "
            f"{one.ours / one.theirs:.2f} | {one.found:,} | {one.found_by_peer:,} |"
        )
    yield ""
    yield f"Writing texts to disk with the keys that tell duplicates: {written:,.0f} texts a second."
    yield ""
    yield "The peer of near-duplicates keeps sketches in memory and trusts their estimates; here each pair is"
    yield "compared in full and memory holds one band of hashes at a time."
    yield ""


def _memory_lines(what: str, count: int, peaks: list[Peak]) -> Iterator[str]:
    yield f"## Memory of {count:,} {what}"
    yield ""
    yield "Peaks of a process of its own, in MiB, above what it held with the model loaded. Private memory is"
    yield "what the system can't take back; mapped files are counted in resident memory alone. Seconds are by"
    yield f"the clock, whatever else the machine did, and of the processor, which the {what} a second are of."
    yield ""
    yield f"| Stage | Private | Resident | Seconds | Of the processor | {what.capitalize()} a second |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    before, *stages = peaks
    for one in stages:
        private, resident = one.private - before.private, one.resident - before.resident
        yield (
            f"| {one.stage} | {private:,.0f} | {resident:,.0f} | {one.seconds:,.0f} | "
            f"{one.processor:,.0f} | {count / one.processor:,.0f} |"
        )
    most = max(one.private for one in stages) - before.private
    yield ""
    each = most * memory.MEBIBYTE / count
    yield f"At most {each:,.0f} bytes each, beside {before.private:,.0f} MiB without any."
    yield ""


def _beside_lines(count: int, disk: list[Peak], lists: list[Peak]) -> Iterator[str]:
    yield f"## Beside lists, {count:,} texts"
    yield ""
    yield "The same with Python's own lists and dictionaries, without near-duplicates. Private memory above"
    yield "that without any text, in MiB."
    yield ""
    yield "| Way | Peak | Bytes a text |"
    yield "| --- | ---: | ---: |"
    tops = [max(one.private for one in peaks[1:]) - peaks[0].private for peaks in (disk, lists)]
    for way, top in zip(("on disk", "in lists"), tops, strict=True):
        yield f"| {way} | {top:,.0f} | {top * memory.MEBIBYTE / count:,.0f} |"
    yield ""
    yield f"Ratio {tops[0] / tops[1]:.2f}."
    yield ""


def _library_lines(count: int, own: list[Peak], library: list[Peak]) -> Iterator[str]:
    yield f"## Beside the library `datasets`, {count:,} texts"
    yield ""
    yield "`corpus.py` and `tokens.py` beside `Dataset.from_json`, `from_generator` and `map`, with the"
    yield "same tokenizer and batches. Seconds are of the processor, those of writing with making texts up;"
    yield "MiB are of private memory above that without any text. Reading checks each cell here, and writing"
    yield "keeps the keys that tell duplicates; `datasets` does neither."
    yield ""
    yield "| Stage | Own, seconds | `datasets`, seconds | Own, MiB | `datasets`, MiB |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for ours, theirs in zip(own[1:], library[1:], strict=True):
        private = [one.private - peaks[0].private for one, peaks in ((ours, own), (theirs, library))]
        yield (
            f"| {ours.stage} | {ours.processor:.1f} | {theirs.processor:.1f} | "
            f"{private[0]:,.0f} | {private[1]:,.0f} |"
        )


if __name__ == "__main__":
    main()
