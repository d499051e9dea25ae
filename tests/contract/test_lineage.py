"""The chain of runs behind a model."""

from trainingrun_api.lineage import MAX_ANCESTORS, MAX_NOTES, HeadOrigin, ResolvedBaseModel, lineage_after


def test_chain_begins_with_the_first_run_and_ends_with_the_latest() -> None:
    base = ResolvedBaseModel(source="Default", digest="d0")
    for number in range(1, 40):
        lineage = lineage_after(f"run-{number}", f"model-{number}", base)
        base = ResolvedBaseModel(source=f"s3://run-{number}/model", digest=f"d{number}", lineage=lineage)
    assert len(base.lineage) == MAX_ANCESTORS
    assert (base.lineage[0].run, base.lineage[0].source, base.lineage[0].digest) == ("run-1", "Default", "d0")
    assert [one.run for one in base.lineage[1:]] == [f"run-{n}" for n in range(25, 40)]
    assert (base.lineage[-1].source, base.lineage[-1].digest) == ("s3://run-38/model", "d38")


def test_notes_are_as_many_and_as_long_as_there_is_room_for() -> None:
    fitted = ResolvedBaseModel(source="Default").fitted(HeadOrigin.NEW, ["x" * 1000] * 9)
    assert ResolvedBaseModel.model_validate_json(fitted.model_dump_json()) == fitted
    assert len(fitted.notes) == MAX_NOTES
