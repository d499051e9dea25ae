"""A machine whose disk is full, wherever training is by then."""

from pathlib import Path

import pytest
from promises import Promise, forms

from trainingrun_api.names import ExitCode
from trainingrun_api.status import Reason

from .attempts import Attempt
from .conftest import World
from .outcome import outcome

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

KIBIBYTES = [4, 16, 64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096]
"""From less than the data takes to more than all takes."""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("sizes", forms(KIBIBYTES[1::5], KIBIBYTES))
def test_a_full_disk_is_told_and_what_was_saved_before_it_is_gone_on_from(
    world: World, keys: dict[str, str], sizes: list[int], tmp_path: Path, promise: Promise
) -> None:
    full = 0
    config = world.run_at(f"full-{len(sizes)}")
    for kibibytes in sizes:
        attempt = Attempt(config, tmp_path / "pod", keys, disk_bytes=kibibytes * 1024)
        code = attempt.end()
        assert code in {ExitCode.OK, ExitCode.MACHINE}, attempt.log
        assert "Traceback" not in attempt.log
        if code == ExitCode.OK:
            break
        full += 1
        assert attempt.failure.reason is Reason.DISK_FULL
        assert "no space left in" in attempt.failure.message
    assert full
    attempt = Attempt(config, tmp_path / "pod", keys)
    assert attempt.end() == ExitCode.OK, attempt.log
    assert outcome(config, world.storage) == world.outcome
    promise(
        "Trainer",
        "A run whose node's disk is full says so, and goes on from its last checkpoint on a larger one",
        f"{full} sizes of the disk",
    )
