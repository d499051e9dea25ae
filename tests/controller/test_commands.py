"""Commands about runs that an operator looks after: logs of their pods, and the model they publish."""

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from kubernetes.client import ApiClient

from localcluster import ControlPlane
from trainingrun_api.names import REQUIRED_STORAGE_KEYS
from trainingrun_api.run_config import Storage
from trainingrun_client import Client, ClientError, UnreachableError
from trainingrun_client.logs import LogLine
from trainingrun_trainer.artifacts import commit_folder, open_store
from trainingrun_trainer.credentials import StorageKeys

from .cluster import Api
from .kubelet import Kubelet
from .log_node import PodLogs, bind, log_node
from .manifests import Manifest, a_failure, a_result, a_run
from .test_report_command import BUCKET, Store, apply_secret, output_of, store
from .test_waiting import config_of

__all__ = ["store"]

WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def logs(api_client: ApiClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodLogs]:
    with log_node(api_client, tmp_path_factory.mktemp("node")) as logs:
        yield logs


@pytest.fixture
def client(api: Api, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    for name in REQUIRED_STORAGE_KEYS:
        monkeypatch.delenv(name, raising=False)
    return Client(api.namespace)


class Followed:
    """Lines of a run's logs as they come, in a thread of their own."""

    def __init__(self, client: Client, run: str) -> None:
        self._lines: SimpleQueue[LogLine | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._follow, args=(client, run), daemon=True)
        self._thread.start()

    def next(self, count: int) -> list[str]:
        """The next lines, whoever has written them."""
        lines = [self._lines.get(timeout=WAIT_SECONDS) for _ in range(count)]
        return [line.text for line in lines if line is not None]

    def ended(self) -> bool:
        """Whether the end comes next."""
        return self._lines.get(timeout=WAIT_SECONDS) is None

    def _follow(self, client: Client, run: str) -> None:
        for line in client.logs(run, follow=True):
            self._lines.put(line)
        self._lines.put(None)


def started(api_client: ApiClient, kubelet: Kubelet, pod: Manifest) -> Manifest:
    bind(api_client, pod)
    kubelet.start(pod)
    return pod


def test_logs_are_followed_over_lost_connections_and_restarts_until_the_run_ends(
    api: Api, api_client: ApiClient, kubelet: Kubelet, logs: PodLogs, client: Client
) -> None:
    api.apply(a_run("told"))
    pod = started(api_client, kubelet, kubelet.pod_of("told"))
    logs.write(pod, "loading", "epoch 1")
    followed = Followed(client, "told")
    assert followed.next(2) == ["loading", "epoch 1"]
    logs.cut(pod)
    logs.write(pod, "epoch 2")
    assert followed.next(1) == ["epoch 2"], "each line comes once, also after the connection was lost"
    kubelet.end(pod, 75, a_failure("StorageUnavailable", "the bucket doesn't answer"))
    logs.end(pod)
    again = started(api_client, kubelet, kubelet.pod_of("told", after=pod))
    logs.write(again, "from checkpoint 2")
    assert followed.next(1) == ["from checkpoint 2"]
    logs.write(again, "done")
    kubelet.end(again, 0, a_result())
    logs.end(again)
    assert followed.next(1) == ["done"]
    assert followed.ended()
    so_far = [(line.pod, line.text) for line in client.logs("told")]
    names = [one["metadata"]["name"] for one in (pod, again)]
    assert so_far == [
        *((names[0], text) for text in ("loading", "epoch 1", "epoch 2")),
        *((names[1], text) for text in ("from checkpoint 2", "done")),
    ]
    assert [line.text for line in client.logs("told", tail=1)] == ["epoch 2", "done"]


def test_what_the_kubelet_says_of_a_container_that_is_gone_is_no_line_of_its_log(
    api: Api, api_client: ApiClient, kubelet: Kubelet, logs: PodLogs, client: Client
) -> None:
    api.apply(a_run("gone"))
    pod = started(api_client, kubelet, kubelet.pod_of("gone"))
    logs.write(pod, "loading")
    followed = Followed(client, "gone")
    assert followed.next(1) == ["loading"]
    logs.remove(pod)
    assert list(client.logs("gone")) == []
    kubelet.end(pod, 0, a_result())
    assert followed.ended()


def test_logs_of_all_nodes_come_together_or_of_one_alone(
    api: Api, api_client: ApiClient, kubelet: Kubelet, logs: PodLogs, client: Client
) -> None:
    api.apply(a_run("pair", resources={"nodes": 2}))
    assert list(client.logs("pair")) == [], "no pod has started"
    pods = [started(api_client, kubelet, pod) for pod in kubelet.group_of("pair", 2)]
    for number, pod in enumerate(pods):
        logs.write(pod, f"node {number}")
    followed = Followed(client, "pair")
    assert set(followed.next(2)) == {"node 0", "node 1"}
    assert [(line.node, line.text) for line in client.logs("pair", node=1)] == [(1, "node 1")]
    for pod in reversed(pods):
        kubelet.end(pod, 0, a_result())
        logs.end(pod)
    assert followed.ended()


def test_logs_of_a_run_that_is_not_there_are_an_error(client: Client) -> None:
    for follow in (False, True):
        with pytest.raises(ClientError, match="none: Not Found"):
            list(client.logs("none", follow=follow))


def test_a_model_is_downloaded_whole_and_as_it_was_published_or_not_at_all(
    api: Api, client: Client, store: Store, tmp_path: Path
) -> None:
    s3, bucket = store
    apply_secret(api, s3)
    api.apply(a_run("model", output=output_of(s3)))
    api.eventually("model", phase="Pending", reason="Unschedulable")
    uri = f"{config_of(api, 'model')['outputPrefix']}/model"
    with pytest.raises(ClientError, match=f"has no model yet: {uri} is not committed"):
        client.download("model", tmp_path / "early")
    published = tmp_path / "published"
    (published / "1_Pooling").mkdir(parents=True)
    for name in ("config.json", "1_Pooling/config.json"):
        (published / name).write_text(name)
    keys = StorageKeys(s3.access_key, s3.secret_key)
    commit_folder(open_store(uri, Storage(endpoint=s3.endpoint), keys), published, uri)

    folder = client.download("model", tmp_path / "models" / "tickets")
    assert sorted(path.name for path in folder.rglob("*.json")) == ["config.json", "config.json"]
    assert (folder / "1_Pooling/config.json").read_text() == "1_Pooling/config.json"
    with pytest.raises(ClientError, match="exists already; name another folder, or remove it"):
        client.download("model", folder)

    key = f"{uri}/config.json".removeprefix(f"s3://{BUCKET}/")
    bucket.put_object(Bucket=BUCKET, Key=key, Body=b"cOnfig.json")
    with pytest.raises(ClientError, match="is not what the run published: its checksums differ"):
        client.download("model", tmp_path / "changed")
    away = Client(api.namespace, endpoint="http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="--endpoint or AWS_ENDPOINT_URL"):
        away.download("model", tmp_path / "away")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "published"]
