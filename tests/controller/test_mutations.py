"""Every field of the resources with values at the edges of its type: refused at admission, or carried out."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kubernetes.client.exceptions import ApiException
from promises import Promise, forms

from .cluster import Api
from .crd_fields import Field, edges, fields, spec_schema, with_value
from .manifests import Manifest, a_project, a_project_run, a_run
from .test_fields import BASES

RUN_SCHEMA, PROJECT_SCHEMA = spec_schema("trainingruns"), spec_schema("trainingprojects")
PROJECT_BASES: list[Manifest] = [
    a_project("x")["spec"],
    {"dataset": {"huggingFace": {"repoId": "team/texts"}}},
    a_project("x")["spec"] | {"defaults": {"taskType": "MultiLabelClassification"}},
]
REFUSED = {400, 422}
TAKES_A_MOMENT = {"", "WaitingForPod", "PodStarting"}
AT_ONCE = 25


class Mutation(NamedTuple):
    """A manifest with one field that has another value."""

    field: str
    manifest: Manifest


class Size(NamedTuple):
    """Every `stride`-th field, `values` of each."""

    stride: int
    values: int


def of_runs(stride: int) -> list[st.SearchStrategy[Mutation]]:
    """Runs with mutations of each `stride`-th field."""
    return [_mutations(field, RUN_SCHEMA, BASES, a_run("x")) for field in _chosen(RUN_SCHEMA, stride)]


def of_projects(stride: int) -> list[st.SearchStrategy[Mutation]]:
    """Projects with mutations of each `stride`-th field."""
    chosen = _chosen(PROJECT_SCHEMA, stride)
    return [_mutations(field, PROJECT_SCHEMA, PROJECT_BASES, a_project("x")) for field in chosen]


def _chosen(schema: Manifest, stride: int) -> Iterator[Field]:
    return islice(fields(schema), 0, None, stride)


def _mutations(
    field: Field, schema: Manifest, bases: Sequence[Manifest], plain: Manifest
) -> st.SearchStrategy[Mutation]:
    def mutated(base: Manifest, value: Any) -> Mutation:
        spec = with_value(base, schema, field.path, value)
        return Mutation(f"{plain['kind']} {field.name}", plain | {"spec": spec})

    return st.builds(mutated, st.sampled_from(bases), edges(field.schema, str(field.path[-1])))


@pytest.mark.parametrize("size", forms(Size(stride=9, values=1), Size(stride=1, values=10)))
def test_value_at_the_edge_is_refused_or_carried_out(api: Api, size: Size, promise: Promise) -> None:
    api.apply(a_project("shared"))
    told = len(api.operator.log.read_text())
    tried, accepted = 0, 0
    for batch in _batches([*of_runs(size.stride), *of_projects(size.stride)]):
        for mutations in drawn(batch, size.values):
            taken = [
                one for number, one in enumerate(mutations) if is_accepted(api, one, f"m{tried + number}")
            ]
            tried, accepted = tried + len(mutations), accepted + len(taken)
            settle(api)
    log = api.operator.log.read_text()[told:]
    assert "Traceback" not in log, log[log.index("Traceback") - 2000 :][:6000]
    assert "[WARNING ]" not in log, log[log.index("[WARNING ]") - 200 :][:2000]
    promise(
        "Operator",
        "Every field of both resources, with values at the edges of its type: refused at admission, or "
        "accepted and carried out, with a Job or a condition that says why not",
        f"{tried:,} values, {accepted:,} accepted",
    )


def _batches(all_of_them: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (all_of_them[first : first + AT_ONCE] for first in range(0, len(all_of_them), AT_ONCE))


def drawn(strategies: Sequence[st.SearchStrategy[Mutation]], times: int) -> list[tuple[Mutation, ...]]:
    """One value of each, so many times; the same in each run of the test."""
    values: list[tuple[Mutation, ...]] = []

    @settings(
        max_examples=times,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*strategies))
    def draw(mutations: tuple[Mutation, ...]) -> None:
        values.append(mutations)

    draw()
    return values


def is_accepted(api: Api, mutation: Mutation, name: str) -> bool:
    """Apply it, and a run of the project if it is one. Fails if it is neither accepted nor refused."""
    manifest = mutation.manifest | {"metadata": {"name": name}}
    try:
        api.apply(manifest)
    except ApiException as error:
        if error.status not in REFUSED:
            raise AssertionError(str(mutation)) from error
        return False
    if manifest["kind"] == "TrainingProject":
        api.apply(a_project_run(name, name))
    return True


def settle(api: Api) -> None:
    """Wait until each run has a Job, or says why not; then remove them all."""
    runs = api.resource("TrainingRun")

    def unsettled() -> list[Manifest]:
        found = runs.get(namespace=api.namespace).to_dict()["items"]
        return [run for run in found if not is_settled(run)]

    try:
        api.until(lambda: not unsettled(), "each run to have a Job or a reason")
    except AssertionError as error:
        raise AssertionError([(run["spec"], run.get("status")) for run in unsettled()][:3]) from error
    for kind in ("TrainingRun", "TrainingProject"):
        for one in api.resource(kind).get(namespace=api.namespace).to_dict()["items"]:
            if one["metadata"]["name"] != "shared":
                api.delete(kind, one["metadata"]["name"])


def is_settled(run: Manifest) -> bool:
    """Whether it has a Job, or a condition that says why not."""
    status = run.get("status", {})
    conditions = status.get("conditions") or [{"reason": "", "message": ""}]
    return "jobUid" in status or conditions[0]["reason"] not in TAKES_A_MOMENT
