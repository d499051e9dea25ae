"""The manifests in the documentation are ones that the API server and the models take."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.dynamic import DynamicClient
from readme import TYPED, command, commands

from trainingrun_api.advice import FindingType
from trainingrun_api.artifacts import ArtifactName
from trainingrun_api.spec import TrainingProjectSpec, TrainingRunSpec
from trainingrun_api.status import Reason
from trainingrun_api.training import Training

from .server import apply

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/guide.md", "docs/settings.md", "docs/gpus-and-nodes.md", "docs/gitops.md")
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {"TrainingRun": TrainingRunSpec, "TrainingProject": TrainingProjectSpec}

OF_OTHERS = {"NetworkPolicy"}
"""Kinds that others define; tests/controller/test_nodes.py applies the NetworkPolicy."""

LEAST = {"dataset": {"uri": "s3://data/texts.jsonl"}, "output": {"uri": "s3://models"}}
"""What a run has at least; the pages leave it out."""


ALL_PAGES = sorted(page for folder in (".", "docs", "docs/adr") for page in (ROOT / folder).glob("*.md"))
LINK = re.compile(r"\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
TOP_FOLDERS = "contract|operator|trainer_image|cli|charts|deploy|tools|tests|benchmarks|docs|examples"


def anchors(page: Path) -> set[str]:
    """Where links into the page can lead: its headings, as forges name them."""
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(page.read_text()))
    return {heading.replace(" ", "-") for heading in headings}


def blocks() -> list[Any]:
    """The blocks of all pages, each with its page and number as name."""
    return [
        pytest.param(block, id=f"{page}-{number}")
        for page in PAGES
        for number, block in enumerate(BLOCK.findall((ROOT / page).read_text()), start=1)
    ]


@pytest.mark.parametrize("block", blocks())
def test_a_block_is_a_manifest_or_part_of_one(cluster: DynamicClient, block: str) -> None:
    for document in yaml.safe_load_all(block):
        kind = document.get("kind", "TrainingRun")
        if kind in OF_OTHERS:
            continue
        spec = document["spec"] if "kind" in document else LEAST | document.get("spec", document)
        assert KINDS[kind].model_validate(spec)
        assert apply(cluster, spec, kind=kind)


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_one_that_both_take(cluster: DynamicClient, example: Path) -> None:
    ours = [one for one in yaml.safe_load_all(example.read_text()) if one["kind"] in KINDS]
    assert ours
    for manifest in ours:
        assert KINDS[manifest["kind"]].model_validate(manifest["spec"])
        assert apply(cluster, manifest["spec"], kind=manifest["kind"])


def test_the_guide_has_each_artifact_by_its_name() -> None:
    page = (ROOT / "docs/guide.md").read_text()
    table = page.partition("| Object | Content |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `([^`]+?)/?` \|", table, re.MULTILINE)) == sorted(ArtifactName)


def test_the_example_has_all_of_the_settings_that_it_is_said_to_have() -> None:
    page, example = (ROOT / name for name in ("docs/settings.md", "examples/tickets-tuned.yaml"))
    fields = re.findall(r"^\| `training\.(\w+)` \|", page.read_text(), re.MULTILINE)
    with_comments = re.sub(r"^( +)# ( *\w+:)", r"\1\2", example.read_text(), flags=re.MULTILINE)
    training = yaml.safe_load(with_comments)["spec"]["training"]
    assert set(fields) <= training.keys()
    for one in ("lora", "freezeBody"):
        for other in ("finalFit", "sharding"):
            left = training.keys() - {one, other}
            assert Training.model_validate({name: training[name] for name in left})
    with pytest.raises(ValueError, match="at most one of freezeBody and lora"):
        Training.model_validate(training)


def test_each_finding_is_told_of_once() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", (ROOT / "docs" / "advice.md").read_text(), re.MULTILINE)
    assert {kind for kind, _ in rows} == {kind.value for kind in FindingType}
    assert len(rows) == len(FindingType)
    assert all(re.match("(Info|Warning)", severity) for _, severity in rows)


def test_the_guide_says_what_to_do_for_each_reason() -> None:
    page = (ROOT / "docs/guide.md").read_text()
    table = page.partition("| Reason | Phase |")[2].partition("\n\n")[0]
    told = {name for cell in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in cell.split("`")}
    assert [reason for reason in Reason if reason not in told] == []


def test_messages_can_be_looked_up() -> None:
    """The page is made from the sources; these are written in different ways there."""
    page = (ROOT / "docs/messages.md").read_text()
    for reason, message in (
        ("DataError", "…: field … is missing; there are …. Name the field that holds the text in …"),
        ("DataError", "…, line …: not JSON (…); correct it"),
        ("SettingsError", "… does not exist or can't be … …: correct ….repoId, or name a Secret"),
        ("ProjectNotFound", "TrainingProject … does not exist in namespace …; create it"),
        ("BaseModelFailed", "Base model: TrainingRun … has failed"),
        ("OutOfMemory", "Pod … needed more memory than …"),
    ):
        section = page.partition(f"## {reason}\n")[2].partition("\n## ")[0]
        assert f"- `{message}" in section, message


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for name, anchor in LINK.findall(CODE.sub("", page.read_text())):
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), name
        assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/security.md"])
def test_files_that_a_page_names_exist(name: str) -> None:
    named = re.findall(rf"`((?:{TOP_FOLDERS})(?:/[\w./-]*)?)`", (ROOT / name).read_text())
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_architecture_lists_all_decisions() -> None:
    listed = re.findall(r"\(adr/(.*?)\)", (ROOT / "docs" / "architecture.md").read_text())
    assert listed == sorted(page.name for page in (ROOT / "docs" / "adr").iterdir())


def test_each_command_of_the_readme_is_typed_by_a_test() -> None:
    assert list(commands()) == [command(beginning) for beginning in TYPED]
    for beginning, test in TYPED.items():
        assert beginning in (ROOT / test).read_text(), test
