"""RESULTS-quality.md: what the figures say, beside their peers and targets."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

TRIED = Path(__file__).with_name("tried.md")
"""What was found on the way, written by hand."""

Figures = dict[str, dict[int, float]]
"""By `measurement:figure`, then seed."""


@dataclass(frozen=True)
class Line:
    """A figure of the trainer's beside one of a peer."""

    what: str
    ours: str
    peer: str | None = None
    peer_is: str = ""
    target: float | None = None
    """Least mean, in percent."""
    above: float | None = None
    """Least difference of the means from the peer's, in points."""


REGRESSION = "logistic regression, same texts"
START = "the same with the C of epoch 0"
FEW, THIRTY = "8 texts a label, 150 labels", "8 texts a label, 30 labels"
SCARCE = "3 texts a label, 150 labels"

TUNED = "logistic regression, whole file, best C"

SMALL = {
    "tickets": "Example tickets",
    "sofmattress": "HINT3 sofmattress",
    "curekart": "HINT3 curekart",
    "powerplay11": "HINT3 powerplay11",
}
SMALL_TARGETS = {"powerplay11": 65.0}


def _small(name: str) -> tuple[Line, ...]:
    what, peer = SMALL[name], f"{name}-regression"
    ours, final = f"{name}-default:accuracy", f"{name}-final:accuracy"
    return (
        Line(what, ours, f"{peer}:tuned", TUNED, SMALL_TARGETS.get(name), above=1.0),
        Line(what, ours, f"{peer}:accuracy", REGRESSION),
        Line(what, ours, f"{peer}:start", START),
        Line(f"{what}, final fit", final, f"{peer}:tuned", TUNED),
        Line(f"{what}, final fit", final, ours, "without final fit"),
    )


LINES = (
    Line("All data", "all-default:accuracy", "all-trainer:accuracy", "HF Trainer, whole file", 96.0, 0.0),
    Line("All data", "all-default:accuracy", "all-regression:accuracy", REGRESSION, above=0.0),
    Line("All data", "all-default:accuracy", "all-regression:start", START, above=0.0),
    Line("All data", "all-default:accuracy", "all-regression:whole", "logistic regression, whole file"),
    Line("All data", "all-default:accuracy", "all-regression:whole_start", "the same with the C of epoch 0"),
    Line("All data", "all-default:accuracy", "all-calm:accuracy", "without noise"),
    Line("All data, layerDecay 0.68", "all-layered:accuracy", "all-default:accuracy", "layerDecay 1"),
    Line("All data, stage first", "all-stage:accuracy", "all-default:accuracy", "without stage", 96.5),
    Line("All data, stage first", "all-stage:accuracy", "all-stage-flat:accuracy", "layerDecay 1"),
    Line("All data, context", "all-context:accuracy", "all-default:accuracy", "without context", 97.0),
    Line(FEW, "few-default:accuracy", "few-setfit:accuracy", "SetFit's method, same texts", 92.5, 0.0),
    Line(FEW, "few-default:accuracy", "few-regression:accuracy", REGRESSION, above=0.0),
    Line(FEW, "few-default:accuracy", "few-regression:start", START, above=0.0),
    Line(
        f"{FEW}, stage first, as by default",
        "few-default:accuracy",
        "few-never:accuracy",
        "without stage",
        93.0,
    ),
    Line(f"{FEW}, layerDecay 0.68", "few-layered:accuracy", "few-default:accuracy", "layerDecay 1"),
    Line(f"{FEW}, no stage", "few-never:accuracy", "few-regression:start", START, above=0.0),
    Line(SCARCE, "scarce-default:accuracy", "scarce-setfit:accuracy", "SetFit's method, same texts"),
    Line(SCARCE, "scarce-default:accuracy", "scarce-regression:start", START, above=0.0),
    Line(
        f"{SCARCE}, stage first, as by default",
        "scarce-default:accuracy",
        "scarce-never:accuracy",
        "without stage",
    ),
    Line(THIRTY, "thirty-default:accuracy", "thirty-regression:accuracy", REGRESSION, above=0.0),
    Line(THIRTY, "thirty-default:accuracy", "thirty-regression:start", START, above=0.0),
    Line(f"{THIRTY}, no pooling", "thirty-plain:accuracy", "thirty-default:accuracy", "with pooling"),
    Line(
        "Similarity, labels trained on", "similarity:same", "similarity:same_base", "base model", above=10.0
    ),
    Line("Similarity, other labels", "similarity:other", "similarity:other_base", "base model", above=0.0),
    *(line for name in SMALL for line in _small(name)),
)

GAPS = (
    "all-default",
    "all-calm",
    "all-layered",
    "all-stage",
    "all-stage-flat",
    "all-context",
    "few-default",
    "few-layered",
    "few-never",
    "scarce-default",
    "scarce-never",
    "thirty-default",
    "thirty-plain",
    *(f"{name}-{kind}" for name in SMALL for kind in ("default", "final")),
)

MOST_GAP = 1e-4


def write_results(folder: Path, path: Path) -> None:
    """Write the table of all figures in the folder."""
    saved = [(file, json.loads(file.read_text())) for file in sorted(folder.glob("*.json"))]
    figures: Figures = defaultdict(dict)
    for file, cell in saved:
        name, _, seed = file.stem.rpartition("-")
        for figure, value in cell["figures"].items():
            figures[f"{name}:{figure}"][int(seed)] = value
    path.write_text(_page(figures, _machines((file.stem, cell["machine"]) for file, cell in saved)))


def _page(figures: Figures, machines: str) -> str:
    lines = "\n".join(_line(line, figures) for line in LINES if line.ours in figures)
    gaps = "\n".join(_gap(name, figures[f"{name}:gap"]) for name in GAPS if f"{name}:gap" in figures)
    seeds = "\n".join(_seeds(name, figures[name]) for name in figures if name.endswith(SHOWN))
    return f"""\
# Quality

Written by `make bench-quality`. Data: the in-scope part of CLINC150 small, 7,500 texts of 150 intents to
learn from (`clinc150-train.jsonl`) and 4,500 held out (`clinc150-test.jsonl`), which no run sees; and four
small sets, as most users have them: HINT3's questions to three live chatbots (Arora et al., 2020,
arXiv:2009.13833; 328 to 600 texts to learn from, and held out those of the chatbots' logs that are in
scope: 231 of sofmattress, 452 of curekart, 275 of powerplay11), and the example tickets, of which the
trainer's own split holds a fifth back, other texts with each seed.
Accuracies are those of held-out texts, by the published model as its library loads it in a process of
its own.

All settings are the trainer's defaults, but for the seed and what the line names. It trains on 80
percent of what it is given and chooses the epoch on the rest: of "all data" it learns from 6,000 texts,
while HF Trainer gets the whole file, and so does logistic regression with the best C. With the final fit
(`training.finalFit`), the published model has learned the whole file as well. For "8 texts a label" the
seed draws 10 of each label, which the trainer divides into 8 to train on and 2 to evaluate on, for
"3 texts a label" 4; its peers get the same 8 or 3. Similarity is trained on the texts of 75 labels that
the seed draws; its figure is the average precision of the cosine for "same label" over pairs of held-out
texts. Context is metadata.domain.

Percent, mean ± standard deviation over seeds. The difference is over seeds that both have, the lowest in
parentheses.

| What | Trainer | Peer | Peer is | Difference (lowest) | Target | Reached |
| --- | --- | --- | --- | --- | --- | --- |
{lines}

## Published models, loaded again

A process of its own loads the model by its library alone and scores the run's evaluation texts: the
largest difference from accuracy, macro F1 and loss in `evaluation.json`, after a final fit from
`finalFit.loss` there. At most {MOST_GAP:g} is wanted.

| Run | Seeds | Largest difference | Reached |
| --- | --- | --- | --- |
{gaps}

{TRIED.read_text()}
## By seed

| Figure | Seeds |
| --- | --- |
{seeds}

## Where

On one core that other work shared; peers and scores in float32, the trainer in the precision that it
chooses there. Each figure is in `benchmarks/quality/figures`, with its seed, commit and machine.

{machines}
"""


SHOWN = ("accuracy", "start", "whole", "tuned", "same", "base", "other", "best_epoch")


def _line(line: Line, figures: Figures) -> str:
    ours, peer = figures[line.ours], figures.get(line.peer or "", {})
    differences = [100 * (ours[seed] - peer[seed]) for seed in ours if seed in peer]
    reached = [
        *([100 * mean(ours.values()) >= line.target] if line.target is not None else []),
        *([mean(differences) >= line.above] if line.above is not None and differences else []),
    ]
    targets = [
        *([f"≥ {line.target:.1f}"] if line.target is not None else []),
        *([f"peer + {line.above:g}" if line.above else "≥ peer"] if line.above is not None else []),
    ]
    difference = f"{mean(differences):+.2f} ({min(differences):+.2f})" if differences else ""
    cells = (
        line.what,
        _spread(ours),
        _spread(peer) if peer else "",
        line.peer_is,
        difference,
        ", ".join(targets),
        _verdict(line, reached),
    )
    return f"| {' | '.join(cells)} |"


def _verdict(line: Line, reached: list[bool]) -> str:
    open_sides = (line.target, line.above).count(None)
    if not all(reached):
        return "**no**"
    return "" if open_sides == 2 else "yes" if len(reached) == 2 - open_sides else "peer not measured yet"


def _spread(values: dict[int, float]) -> str:
    found = [100 * value for value in values.values()]
    if len(found) == 1:
        return f"{found[0]:.2f} (one seed)"
    return f"{mean(found):.2f} ± {stdev(found):.2f}" + ("" if len(found) > 2 else " (two seeds)")


def _gap(name: str, gaps: dict[int, float]) -> str:
    largest = max(gaps.values())
    return f"| {name} | {len(gaps)} | {largest:.1e} | {'yes' if largest <= MOST_GAP else '**no**'} |"


def _seeds(name: str, values: dict[int, float]) -> str:
    scale, unit = (1, "g") if name.endswith("best_epoch") else (100, ".2f")
    shown = (f"{seed}: {scale * value:{unit}}" for seed, value in sorted(values.items()))
    return f"| {name} | {', '.join(shown)} |"


def _machines(measured: Iterable[tuple[str, dict[str, str]]]) -> str:
    by_machine: dict[str, list[str]] = defaultdict(list)
    for name, machine in measured:
        libraries = "; ".join(f"{part} {value}" for part, value in machine.items() if part != "commit")
        by_machine[f"at commit {machine['commit']}; {libraries}"].append(name)
    return "\n".join(f"- {', '.join(names)}: {machine}" for machine, names in by_machine.items())
