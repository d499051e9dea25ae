"""Files of resources are held to what kubectl and the API server would hold them to."""

from pathlib import Path

import pytest

from trainingrun_api.names import API_VERSION
from trainingrun_client.documents import read_documents
from trainingrun_client.errors import ClientError
from trainingrun_client.run_manifest import read_manifest

SMALLEST = "dataset: {uri: 's3://d/x.csv'}, output: {uri: 's3://b/o'}"


def written(folder: Path, *, metadata: str = "{name: x}", spec: str = SMALLEST, more: str = "") -> Path:
    """A file with one run."""
    path = folder / "run.yaml"
    path.write_text(
        f"apiVersion: {API_VERSION}\nkind: TrainingRun\nmetadata: {metadata}\nspec: {{{spec}}}\n{more}"
    )
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ClientError) as refused:
        read_manifest(path)
    return str(refused.value)


def test_a_run_that_leaves_its_output_to_the_operator_is_read(tmp_path: Path) -> None:
    assert read_manifest(written(tmp_path, spec="dataset: {uri: 's3://d/x.csv'}")).name == "x"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("", "metadata: Field required"),
        ("[x]", "metadata: Input should be an object"),
        ("{namespace: team}", "metadata: name or generateName is required"),
        ("{generateName: -x}", "metadata.generateName: a lowercase RFC 1123 subdomain must consist of"),
        (f"{{generateName: {'a' * 48}}}", "metadata.generateName: must be no more than 47 characters"),
        ("{name: 2024}", "metadata.name: Input should be a valid string, not 2024"),
        ("{name: ../../escaped}", "metadata.name: a lowercase RFC 1123 subdomain must consist of"),
        ("{name: x, namespace: ../up}", "metadata.namespace: a lowercase RFC 1123 label must consist of"),
        (f"{{name: {'a' * 53}}}", "metadata.name: must be no more than 52 characters"),
    ],
)
def test_a_name_that_a_cluster_would_refuse_is_refused(tmp_path: Path, metadata: str, message: str) -> None:
    assert message in refusal(written(tmp_path, metadata=metadata))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("trainPercent: '80'", "spec.trainPercent: Input should be a valid integer, not '80'"),
        ("skipDuplicates: 'no'", "spec.skipDuplicates: Input should be a valid boolean"),
        ("trainPercent: 80, trainPercent: 90", "line 4: duplicate key trainPercent"),
        ("training: {learningRate: .nan}", "not JSON compliant"),
        ("training: &a {learningRate: *a}", "use only values that JSON has"),
        ("labels: {include: [!!binary aGk=]}", "use only values that JSON has"),
        ("labels: {include: [!!int no]}", "is not valid YAML"),
    ],
)
def test_a_value_that_a_cluster_would_refuse_is_refused(tmp_path: Path, spec: str, message: str) -> None:
    assert message in refusal(written(tmp_path, spec=f"{SMALLEST}, {spec}"))


def test_values_are_what_kubectl_would_send(tmp_path: Path) -> None:
    spec = (
        "training: {learningRate: 1e-4, maxEpochs: 3.0, lora:}, modelName:, labels: {include: [2024-01-31]}"
    )
    read = read_manifest(written(tmp_path, metadata="{name: x, labels: {a: b}}", spec=f"{SMALLEST}, {spec}"))
    assert (read.name, read.namespace, read.spec.own.model_name) == ("x", "default", None)
    assert (read.spec.own.training.learning_rate, read.spec.own.training.max_epochs) == (1e-4, 3)
    assert read.spec.own.labels.include == ["2024-01-31"]


def test_a_merged_key_may_be_written_over(tmp_path: Path) -> None:
    spec = "<<: {dataset: {uri: 's3://d/y.csv'}, output: {uri: 's3://b/o'}}, dataset: {uri: 's3://d/x.csv'}"
    assert read_manifest(written(tmp_path, spec=spec)).spec.dataset.uri == "s3://d/x.csv"


def test_a_field_or_kind_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    assert "specs: unknown field" in refusal(written(tmp_path, more="specs: {}"))
    other = f"---\napiVersion: {API_VERSION}\nkind: TrainingRuns\nmetadata: {{name: y}}\nspec: {{}}"
    assert "kind: 'TrainingRuns' is none of TrainingRun, TrainingProject" in refusal(
        written(tmp_path, more=other)
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# ok\nname: Käse".encode("latin-1"), "line 2: not valid UTF-8; save the file as UTF-8"),
        ("name: x".encode("utf-16"), "line 1: not valid UTF-8"),
        (b"a: [1", "is not valid YAML: line 1: expected ',' or ']'"),
        (b"x\0", "is not valid YAML: unacceptable character"),
        (b"[" * 3000, "is not valid YAML"),
        (
            f"apiVersion: {API_VERSION}\nkind: [a]".encode(),
            "kind: ['a'] is none of TrainingRun, TrainingProject",
        ),
        (b"- 1", f"each document needs apiVersion: {API_VERSION}"),
        (b"---\n", "has 0 TrainingRuns"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "run.yaml").write_bytes(content)
    assert message in refusal(tmp_path / "run.yaml")


def test_resources_of_other_groups_stand_beside_a_run(tmp_path: Path) -> None:
    account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: trainer}\n"
    path = written(tmp_path, more=account)
    documents = read_documents(path)
    assert [run.name for run in documents.runs] == ["x"]
    assert list(map(str, documents.foreign)) == ["ServiceAccount trainer (v1)"]
    path.write_text(path.read_text().replace(API_VERSION, "training.labelator.io/v1"))
    assert f"each document needs apiVersion: {API_VERSION}" in refusal(path)


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [run.name for run in read_documents(path).runs] == ["x"]


def test_a_place_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: Is a directory"
    assert refusal(tmp_path / "none.yaml") == f"{tmp_path}/none.yaml: No such file or directory"
