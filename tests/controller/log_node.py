"""A node that nothing is scheduled to, whose kubelet serves the logs of pods that are bound to it."""

import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, CoreV1Api

from localcluster.certificates import Authority

from .manifests import Manifest

NODE = "node-with-logs"
WAIT_SECONDS = 60.0
GONE = "unable to retrieve container logs for containerd://a801f114b338"
"""What kubelets answer as if it were the log; seen of 1.37."""


class PodLogs:
    """What trainers have written, by pod."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lines: defaultdict[str, list[str]] = defaultdict(list)
        self._ended: set[str] = set()
        self._cut: set[str] = set()
        self._removed: set[str] = set()

    def write(self, pod: Manifest, *lines: str) -> None:
        """The trainer of this pod writes these."""
        with self._changed:
            for line in lines:
                written = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
                self._lines[pod["metadata"]["name"]].append(f"{written} {line}\n")
            self._changed.notify_all()

    def end(self, pod: Manifest) -> None:
        """Its container has ended, and nothing more comes."""
        with self._changed:
            self._ended.add(pod["metadata"]["name"])
            self._changed.notify_all()

    def cut(self, pod: Manifest) -> None:
        """The connections that follow it are lost."""
        with self._changed:
            self._cut.add(pod["metadata"]["name"])
            self._changed.notify_all()

    def remove(self, pod: Manifest) -> None:
        """Its container is gone, as that of a deleted pod is before the pod itself."""
        with self._changed:
            self._removed.add(pod["metadata"]["name"])
            self._changed.notify_all()

    def lines(self, pod: str, *, follow: bool, tail: int | None) -> Iterator[str]:
        """Those that there are, and with `follow` those to come."""
        with self._changed:
            self._cut.discard(pod)
            if pod in self._removed:
                yield GONE
                return
            given = 0 if tail is None else max(len(self._lines[pod]) - tail, 0)
        while new := self._after(given, pod, wait=follow):
            given += len(new)
            yield from new

    def _after(self, given: int, pod: str, *, wait: bool) -> list[str]:
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: len(self._lines[pod]) > given or self._over(pod), WAIT_SECONDS)
            return self._lines[pod][given:]

    def _over(self, pod: str) -> bool:
        return any(pod in pods for pods in (self._ended, self._cut, self._removed))


@contextmanager
def log_node(api_client: ApiClient, folder: Path) -> Iterator[PodLogs]:
    """The node, as long as it is needed."""
    logs = PodLogs()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(logs)) as server:
        pair = Authority(folder / "kubelet").server(NODE, ("127.0.0.1",))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        core = CoreV1Api(api_client)
        taint = {"key": "test", "effect": "NoSchedule"}
        core.create_node({"metadata": {"name": NODE}, "spec": {"taints": [taint]}})
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": server.server_port}},
        }
        core.patch_node_status(NODE, {"status": status})
        yield logs
        core.delete_node(NODE)
        server.shutdown()


def bind(api_client: ApiClient, pod: Manifest) -> None:
    """What a scheduler does."""
    metadata = {name: pod["metadata"][name] for name in ("name", "namespace")}
    CoreV1Api(api_client).create_namespaced_pod_binding(
        **metadata,
        body={"metadata": metadata, "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}},
        _preload_content=False,
    )


def _handler(logs: PodLogs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            asked: dict[str, str] = dict(part.partition("=")[::2] for part in query.split("&"))
            assert asked["timestamps"] == "true"
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            tail = int(asked["tailLines"]) if "tailLines" in asked else None
            pod = path.split("/")[3]
            for line in logs.lines(pod, follow=asked.get("follow") == "true", tail=tail):
                self._chunk(line.encode())
            self._chunk(b"")

        def _chunk(self, content: bytes) -> None:
            self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler
