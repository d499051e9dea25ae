"""What no watch tells is looked at again, less often the longer it lasts."""

from datetime import timedelta

import pytest

from trainingrun_api.status import Reason
from trainingrun_operator.blocked import Blocked
from trainingrun_operator.next_look import next_look
from trainingrun_operator.status import Observation, observe

from .test_status import MISSING, NOW, a_parsed_run

CONFLICT = Blocked(Reason.JOB_CONFLICT, "delete it")


@pytest.mark.parametrize(
    ("blocked", "deadline", "waited", "pause"),
    [
        (CONFLICT, None, 0, 30),
        (CONFLICT, None, 31, 31),
        (CONFLICT, None, 120, 120),
        (CONFLICT, None, 86_400, 300),
        (CONFLICT, 150, 120, 30),
        (MISSING, None, 120, None),
        (MISSING, 3600, 120, 3480),
    ],
)
def test_pauses_grow_up_to_five_minutes_and_end_at_the_deadline(
    blocked: Blocked, deadline: int | None, waited: int, pause: float | None
) -> None:
    run = a_parsed_run(pendingDeadlineSeconds=deadline)
    status = observe(run, run.spec, Observation(blocked=blocked), NOW)
    later = NOW + timedelta(seconds=waited)
    assert next_look(a_parsed_run(status, pendingDeadlineSeconds=deadline), later) == pause
