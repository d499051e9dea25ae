"""The cluster that the demo runs on: this checkout's own, or the one of the user's kubectl context."""

import json
import os
import secrets
from base64 import b64decode
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Protocol

from localcluster import LocalClusterError, binaries, images
from localcluster.cluster import LocalCluster
from localcluster.progress import say, step

from . import operator_release
from .kubernetes import Kubernetes
from .objectstore import (
    NAME,
    NAMESPACE,
    SECRET,
    Manifest,
    StoreKeys,
    in_cluster_objects,
    outside_objects,
    port_forward,
)


class Target(Protocol):
    """What the demo needs of a cluster."""

    farewell: str
    """What the user may do next."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for kubectl and helm."""

    @property
    def credentials(self) -> StoreKeys:
        """Of the object store."""

    def prepare(self) -> images.Images:
        """Bring cluster and images up; gives the images' names."""

    def objectstore(self) -> list[Manifest]:
        """What makes an S3 server answer as Service s3 of the demo's namespace."""

    def endpoint(self) -> AbstractContextManager[str]:
        """A URL of the object store for this machine."""

    def down(self) -> None:
        """Remove all that the demo started."""


class LocalTarget:
    """The one-node cluster of this checkout."""

    farewell = '`eval "$(make -s env)"` points kubectl at this cluster; `make demo-down` removes it'

    def __init__(self) -> None:
        self.cluster = LocalCluster()

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for kubectl and helm."""
        return os.environ | self.cluster.environment

    @property
    def credentials(self) -> StoreKeys:
        """Of the cluster's S3 server."""
        return StoreKeys(self.cluster.layout.s3.access_key, self.cluster.layout.s3.secret_key)

    def prepare(self) -> images.Images:
        """Start the cluster, or see that it runs, and bring the images to its registry."""
        self.cluster.up()
        return images.build_and_push(self.cluster)

    def objectstore(self) -> list[Manifest]:
        """A Service in front of the node's S3 server."""
        return outside_objects(str(self.cluster.layout.addresses.node))

    def endpoint(self) -> AbstractContextManager[str]:
        """The S3 server's own address."""
        return nullcontext(self.cluster.s3_endpoint)

    def down(self) -> None:
        """End the cluster and all in it."""
        self.cluster.down()


class CurrentTarget:
    """The cluster of the user's kubectl context, with images in a registry that it can pull from."""

    farewell = "`make demo-down CLUSTER=current` removes the operator and the demo's namespace"
    environment: Mapping[str, str] = os.environ

    def __init__(self, registry: str | None) -> None:
        self._registry = registry
        self._kubernetes = Kubernetes(self.environment)
        self._objectstore_image = ""

    @cached_property
    def credentials(self) -> StoreKeys:
        """Those of an earlier demo, else new ones."""
        arguments = ("--namespace", NAMESPACE, "get", "secret", SECRET, "--output=json", "--ignore-not-found")
        found = self._kubernetes.kubectl(*arguments)
        if not found:
            return StoreKeys(f"demo{secrets.token_hex(4)}", secrets.token_hex(16))
        data = json.loads(found)["data"]
        keys = (data["AWS_ACCESS_KEY_ID"], data["AWS_SECRET_ACCESS_KEY"])
        return StoreKeys(*(b64decode(key).decode() for key in keys))

    def prepare(self) -> images.Images:
        """Show which cluster it is, and bring the images to the user's registry."""
        if self._registry is None:
            raise LocalClusterError(
                "name a registry that your cluster can pull from and you may push to: "
                "make demo CLUSTER=current REGISTRY=host/path"
            )
        binaries.ensure(("kubectl", "helm", "versitygw"))
        say(f"using kubectl's context {self._kubernetes.kubectl('config', 'current-context').strip()}")
        self._kubernetes.show("get", "nodes")
        self._objectstore_image = images.push_objectstore(self._registry)
        return images.build_and_push_to(self._registry)

    def objectstore(self) -> list[Manifest]:
        """An S3 server in a Pod."""
        return in_cluster_objects(self._objectstore_image)

    def endpoint(self) -> AbstractContextManager[str]:
        """A forwarded port, once there is something to forward to."""
        rollout = ("rollout", "status", f"deployment/{NAME}", "--timeout=300s")
        self._kubernetes.kubectl("--namespace", NAMESPACE, *rollout)
        return port_forward(self.environment)

    def down(self) -> None:
        """Remove the demo's namespace and the operator; the rest of the cluster stays as it is."""
        with step("demo's namespace and operator"):
            self._kubernetes.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
            operator_release.uninstall(self._kubernetes)
