"""`python -m benchmarks.quality`: accuracy on public data beside the trainer's peers."""

import argparse
import json
import logging
import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from trainingrun_api.training import MixedPrecision
from trainingrun_trainer.training.recipe import choose_precision

from .measurements import MEASUREMENTS
from .results import write_results
from .sources import CHATBOTS, Setup
from .texts import TEST, TRAIN

DATA_VARIABLE = "TRAININGRUN_BENCHMARK_DATA"
MEASURED = ("contract", "operator", "trainer_image", "benchmarks/quality/*.py")
HERE = Path(__file__).resolve().parent
FIGURES, RESULTS = HERE / "figures", HERE.parent / "RESULTS-quality.md"
LIBRARIES = ("torch", "transformers", "sentence-transformers", "accelerate", "scikit-learn")

log = logging.getLogger("benchmarks.quality")


def main() -> None:
    """Measure what has no figures yet, and write the results after each. Remove figures to have them anew."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    _require_commit()
    setup = Setup(arguments.data, arguments.work)
    for seed in arguments.seeds:
        for name in arguments.only or MEASUREMENTS:
            path = FIGURES / f"{name}-{seed}.json"
            if not path.exists():
                _measure(setup, name, seed, path)
                write_results(FIGURES, RESULTS)
    write_results(FIGURES, RESULTS)


def _measure(setup: Setup, name: str, seed: int, path: Path) -> None:
    start = time.monotonic()
    try:
        figures = MEASUREMENTS[name](setup, seed)
    except Exception:
        log.exception("%s, seed %d", name, seed)
        return
    log.info("%s, seed %d: %s", name, seed, figures)
    path.write_text(
        json.dumps(
            {"figures": figures, "seconds": round(time.monotonic() - start), "machine": _machine()}, indent=1
        )
        + "\n"
    )


def _machine() -> dict[str, str]:
    about = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.split(":")[1].strip() for line in about if line.startswith("model name"))
    return {
        "processor": f"{next(models, platform.processor())}, one of {os.cpu_count()} cores",
        "commit": _git("rev-parse", "--short", "HEAD"),
        "python": platform.python_version(),
        "precision": {"bf16": "bf16", "no": "float32"}[choose_precision(MixedPrecision.AUTO, "bert")],
        **{name: version(name) for name in LIBRARIES},
    }


def _require_commit() -> None:
    """A figure names the commit it is of, so there has to be one."""
    if changed := _git("status", "--porcelain", "--", *MEASURED):
        raise SystemExit(f"commit these before measuring, since each figure names its commit:\n{changed}")


def _git(*arguments: str) -> str:
    root = HERE.parent.parent
    return subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
    ).stdout.strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA_VARIABLE),
        help=f"folder with {TRAIN}, {TEST} and {CHATBOTS}; ${DATA_VARIABLE} when left out",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, help="some of the measurements")
    parser.add_argument(
        "--work", type=Path, default=HERE.parent / ".cache" / "quality", help="folder for models"
    )
    arguments = parser.parse_args()
    if arguments.data is None or not (Path(arguments.data) / TRAIN).is_file():
        parser.error(f"--data must name a folder with {TRAIN} and {TEST}")
    arguments.data = Path(arguments.data)
    return arguments


if __name__ == "__main__":
    main()
