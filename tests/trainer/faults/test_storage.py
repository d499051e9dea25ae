"""The trainer before an object store that fails: it ends as if nothing had been, or says what is wrong."""

import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from promises import Promise

from trainingrun_api.names import ExitCode
from trainingrun_api.status import Reason

from ..artifacts.s3_proxy import Answer, Broken, Late, Refuse, Replacing, Request, s3_error, s3_proxy
from .attempts import Attempt
from .conftest import World
from .outcome import outcome

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trainer-faults")]

SLOW_DOWN = s3_error(503, "SlowDown", "Please reduce your request rate.")
GONE = s3_error(404, "NoSuchBucket", "The specified bucket does not exist")
EXPIRED = s3_error(400, "ExpiredToken", "The provided token has expired.")
SKEWED = s3_error(500, "InternalError", "We encountered an internal error. Please try again.")

Decision = Answer | Broken | Late | Replacing | None


def is_write(request: Request) -> bool:
    return request.method in {"PUT", "POST"}


def length(request: Request) -> int:
    return int(request.headers.get("Content-Length", 0))


class Each:
    """Has one answer for every nth request of a kind, from the first of them on."""

    def __init__(
        self, every: int, decision: Decision, which: Callable[[Request], bool] = lambda _: True
    ) -> None:
        self._every, self._decision, self._which = every, decision, which
        self._lock = threading.Lock()
        self._count = 0
        self.times = 0

    def __call__(self, request: Request) -> Decision:
        with self._lock:
            if not self._which(request):
                return None
            self._count += 1
            if self._count % self._every != 1 % self._every:
                return None
            self.times += 1
            return self._decision


class Once:
    """Has one answer for the first request of a kind for each object."""

    def __init__(self, decision: Decision, which: Callable[[Request], bool]) -> None:
        self._decision, self._which = decision, which
        self._seen: Counter[str] = Counter()
        self.times = 0

    def __call__(self, request: Request) -> Decision:
        if not self._which(request):
            return None
        self._seen[f"{request.method} {request.path}"] += 1
        if self._seen[f"{request.method} {request.path}"] > 1:
            return None
        self.times += 1
        return self._decision


class AfterCommit:
    """From the first commit on, this many requests have an answer."""

    def __init__(self, requests: int, decision: Decision) -> None:
        self._left, self._decision = requests, decision
        self._begun = False
        self.times = 0

    def __call__(self, request: Request) -> Decision:
        self._begun = self._begun or (is_write(request) and "COMMITTED" in request.path)
        if not self._begun or self.times >= self._left:
            return None
        self.times += 1
        return self._decision


def wants_md5(request: Request) -> Decision:
    if request.path.endswith("?delete") and "Content-MD5" not in request.headers:
        return s3_error(400, "MissingContentMD5", "Missing required header for this request: Content-Md5.")
    return None


FAULTS: dict[str, Callable[[], Refuse]] = {
    "dropped connections": lambda: Each(4, Broken()),
    "slow": lambda: Each(1, Late(0.05)),
    "bodies cut when written": lambda: Once(Broken(sent=0.5), lambda r: is_write(r) and length(r) > 1000),
    "bodies cut when read": lambda: Once(Broken(answered=0.5), lambda r: r.method == "GET"),
    "answers lost": lambda: Once(Broken(answered=0), is_write),
    "slow down": lambda: Each(7, SLOW_DOWN),
    "internal errors": lambda: Each(3, SKEWED),
    "bucket gone and back": lambda: AfterCommit(3, GONE),
    "credentials expired and renewed": lambda: AfterCommit(3, EXPIRED),
    "Content-MD5 wanted": lambda: wants_md5,
}


SHORT = ("answers lost", "bucket gone and back")
"""Those of `make test`."""


@pytest.mark.parametrize(
    "fault", [fault if fault in SHORT else pytest.param(fault, marks=pytest.mark.faults) for fault in FAULTS]
)
def test_a_run_ends_as_an_undisturbed_one_whatever_the_store_does_meanwhile(
    world: World, keys: dict[str, str], fault: str, tmp_path: Path, promise: Promise
) -> None:
    refuse = FAULTS[fault]()
    with s3_proxy(world.server, refuse) as endpoint:
        config = world.run_at(fault.replace(" ", "-"), endpoint)
        attempt = Attempt(config, tmp_path / "pod", keys)
        assert attempt.end() == ExitCode.OK, attempt.log
    assert getattr(refuse, "times", 1), "the fault has not been"
    assert outcome(config, world.storage) == world.outcome
    assert "Traceback" not in attempt.log
    promise(
        "Trainer",
        "A run whose object store fails and recovers ends with weights, scores and predictions of an "
        "undisturbed one, to the bit",
        fault,
    )


REFUSED = {
    "no bucket": (GONE, "the bucket does not exist; create it or correct the URI"),
    "expired": (EXPIRED, "the session has expired; renew AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in "),
    "denied": (s3_error(403, "AccessDenied", "Access Denied"), "access denied; allow reading, writing, "),
}


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_store_that_refuses_from_the_first_on_ends_the_run_at_once_and_for_good(
    world: World, keys: dict[str, str], refusal: str, tmp_path: Path
) -> None:
    answer, message = REFUSED[refusal]
    with s3_proxy(world.server, lambda request: answer) as endpoint:
        attempt = Attempt(world.run_at("refused", endpoint), tmp_path / "pod", keys)
        assert attempt.end() == ExitCode.STORAGE_REFUSED, attempt.log
    assert attempt.failure.reason is Reason.STORAGE_REFUSED
    assert message in attempt.failure.message
    assert endpoint in attempt.failure.message
    assert "Traceback" not in attempt.log


UNAVAILABLE = {"slow down": SLOW_DOWN, "bucket gone": GONE, "dropped connections": Broken()}


@pytest.mark.parametrize(
    "fault",
    [
        "bucket gone",
        *(pytest.param(one, marks=pytest.mark.faults) for one in ("slow down", "dropped connections")),
    ],
)
def test_a_store_that_stays_away_ends_the_attempt_and_the_next_one_goes_on(
    world: World, keys: dict[str, str], fault: str, tmp_path: Path
) -> None:
    away = UNAVAILABLE[fault]
    with s3_proxy(world.server, AfterCommit(10**6, away)) as endpoint:
        config = world.run_at(f"away-{fault.replace(' ', '-')}", endpoint, patience=1)
        attempt = Attempt(config, tmp_path / "pod", keys)
        expected = ExitCode.STORAGE_REFUSED if away is GONE else ExitCode.TEMPORARY
        assert attempt.end() == expected, attempt.log
    assert endpoint in attempt.failure.message
    assert "Traceback" not in attempt.log
    again = config.model_copy(update={"storage": world.storage})
    attempt = Attempt(again, tmp_path / "pod", keys)
    assert attempt.end() == ExitCode.OK, attempt.log
    assert outcome(again, world.storage) == world.outcome


def ignores_conditions(request: Request) -> Decision:
    return Replacing() if "If-None-Match" in request.headers else None


def has_no_conditions(request: Request) -> Decision:
    if "If-None-Match" in request.headers:
        return s3_error(501, "NotImplemented", "A header you provided implies functionality not implemented.")
    return None


@pytest.mark.parametrize(
    "refuse", [ignores_conditions, pytest.param(has_no_conditions, marks=pytest.mark.faults)]
)
def test_a_store_without_conditional_writes_is_told_at_once_and_used(
    world: World, keys: dict[str, str], refuse: Refuse, tmp_path: Path
) -> None:
    with s3_proxy(world.server, refuse) as endpoint:
        config = world.run_at(refuse.__name__, endpoint)
        attempt = Attempt(config, tmp_path / "pod", keys)
        assert attempt.end() == ExitCode.OK, attempt.log
    before, found, _ = attempt.log.partition("The object store has no conditional writes (If-None-Match)")
    assert found
    assert "INFO" not in before, "it is said before anything is read"
    assert outcome(config, world.storage) == world.outcome
    assert "no conditional writes" not in world.log


def test_of_two_pods_of_one_run_the_later_one_writes_and_the_other_says_so(
    world: World, keys: dict[str, str], tmp_path: Path, promise: Promise
) -> None:
    config = world.run_at("both")
    lost = Attempt(config, tmp_path / "lost", keys)
    assert lost.until("Checkpoint of epoch 1 committed")
    lost.send(signal.SIGSTOP)
    successor = Attempt(config, tmp_path / "successor", keys)
    assert successor.until("Resuming from the checkpoint")
    lost.send(signal.SIGCONT)
    assert lost.end() == ExitCode.TEMPORARY, lost.log
    assert "another pod of this run has started since, and goes on in place of this one" in lost.log
    assert "Traceback" not in lost.log
    assert successor.end() == ExitCode.OK, successor.log
    assert outcome(config, world.storage) == world.outcome
    promise(
        "Trainer",
        "Of two pods that train one run at once, the later one wins and the other says so",
        "2 pods",
    )
