"""The operator behind a proxy in which faults can be planted, started again whenever it ends."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kubernetes import client
from kubernetes.client import ApiClient

from localcluster import ControlPlane
from localcluster.control_plane import free_port

from .cluster import Api
from .fault_proxy import FaultProxy
from .kubelet import Kubelet
from .process import NAMESPACE, RELEASE, OperatorProcess, decoded, kubeconfig_with_token

# An audit finds within a minute what a watch has not shown.
PATIENCE_SECONDS = 120.0


@dataclass
class Bench:
    """An operator that watches one namespace, and the hands of a user and a kubelet there."""

    proxy: FaultProxy
    operator: OperatorProcess
    api: Api
    kubelet: Kubelet
    starts: int = 0
    _closing: threading.Event = field(default_factory=threading.Event)

    def kill(self) -> None:
        """SIGKILL; what the kubelet would do then is done at once."""
        self.operator.kill()

    @contextmanager
    def kept_alive(self, settings: Mapping[str, str]) -> Iterator["Bench"]:
        """Within, the operator is started again whenever it ends."""
        self.operator.start(settings)
        keeper = threading.Thread(target=self._keep, args=(settings,))
        keeper.start()
        try:
            yield self
        finally:
            self._closing.set()
            self.operator.stop()  # it lets another operator lead at once
            keeper.join()
            self.operator.kill()  # one that was being started
            self.operator.wait()

    def _keep(self, settings: Mapping[str, str]) -> None:
        while not self._closing.is_set():
            self.operator.wait()
            if not self._closing.is_set():
                self.starts += 1
                with suppress(AssertionError):  # it ended again, at once
                    self.operator.start(settings)


@contextmanager
def a_bench(
    control_plane: ControlPlane,
    api_client: ApiClient,
    namespace: str,
    folder: Path,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Bench]:
    """A bench in this namespace, which is created and deleted."""
    core = client.CoreV1Api(api_client)
    core.create_namespace({"metadata": {"name": namespace}})
    token = core.create_namespaced_service_account_token(RELEASE, NAMESPACE, {"spec": {}}).status.token
    secret = core.read_namespaced_secret(f"{RELEASE}-tls", NAMESPACE)
    with FaultProxy(control_plane.kubeconfig).running() as proxy:
        kubeconfig = kubeconfig_with_token(control_plane.kubeconfig, token, folder / "kubeconfig")
        content = json.loads(kubeconfig.read_text())
        content["clusters"][0]["cluster"] = {"server": proxy.url}
        kubeconfig.write_text(json.dumps(content))
        authority = decoded(secret.data["ca.crt"])
        operator = OperatorProcess(kubeconfig, folder / "operator.log", free_port(), free_port(), authority)
        api = Api(api_client, namespace, operator, PATIENCE_SECONDS)
        api.until(lambda: api.get("ServiceAccount", "default"), "the default service account")
        bench = Bench(proxy, operator, api, Kubelet(api))
        with bench.kept_alive({"WATCH_NAMESPACES": namespace} | dict(settings or {})):
            yield bench
    core.delete_namespace(namespace)
