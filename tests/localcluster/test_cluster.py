import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from localcluster import LocalCluster, LocalClusterError, buildah, cgroups, names, registry_store
from localcluster.cache import locked
from localcluster.cluster import CONTAINERD_NAMESPACE
from localcluster.layout import PAUSE_IMAGE
from localcluster.manifests import kubectl

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="a node needs root")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster beside the one of this checkout, if that runs."""
    cluster = LocalCluster(tmp_path_factory.mktemp("checkout"))
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()


def test_a_pod_with_a_gpu_runs(cluster: LocalCluster) -> None:
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    container = {"name": "main", "image": PAUSE_IMAGE, "imagePullPolicy": "IfNotPresent", "resources": limits}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gpu"}, "spec": spec}
    kubectl(cluster.kubeconfig, "wait", "--for=create", "serviceaccount/default", "--timeout=240s")
    kubectl(cluster.kubeconfig, "apply", "--filename=-", standard_input=json.dumps(pod))
    kubectl(cluster.kubeconfig, "wait", "pod/gpu", "--for=condition=Ready", "--timeout=240s")


def test_the_object_store_answers_from_here(cluster: LocalCluster) -> None:
    environment = cluster.environment
    client = boto3.client(
        "s3",
        endpoint_url=environment["S3_ENDPOINT"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket="models")
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["models"]
    client.close()


def test_an_image_that_the_registry_drops_goes_from_the_node(cluster: LocalCluster, tmp_path: Path) -> None:
    (tmp_path / "content").write_text("small")
    image = f"{cluster.registry}/small:1"
    with locked("images"):
        buildah.from_archive("localhost/small:1", tmp_path, ("--entrypoint=[]",))
        buildah.push("localhost/small:1", image, cluster.nsenter)
        buildah.remove("localhost/small:1")
        cluster.pull(image)
        cluster.drop_images()
        assert image in images_of(cluster)
        registry_store.remove_but("small", [], cluster.layout.config / "registry.yaml")
    cluster.drop_images()
    left = images_of(cluster)
    assert "/small" not in left
    assert PAUSE_IMAGE in left


def images_of(cluster: LocalCluster) -> str:
    listing = ("ctr", f"--namespace={CONTAINERD_NAMESPACE}", "images", "list")
    command = cluster.nsenter(listing, mounts=True)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_up_again_keeps_the_node(cluster: LocalCluster) -> None:
    before = cluster.supervisor
    cluster.up()
    assert cluster.supervisor == before


def test_after_its_first_process_was_killed_it_comes_up_anew(cluster: LocalCluster) -> None:
    before = cluster.supervisor
    assert before is not None
    subprocess.run(["kill", "-KILL", str(before)], check=True)
    cluster.up()
    assert cluster.healthy
    assert cluster.supervisor != before


def test_down_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    cluster = LocalCluster(tmp_path)
    cluster.up()
    cluster.down()
    cluster.down()
    assert not cluster.state.exists()
    assert not Path("/sys/class/net", names.link_names(cluster.name)[0]).exists()
    assert not [root for root in cgroups.roots() if (root / cluster.name).exists()]
    with pytest.raises(LocalClusterError, match="not up"):
        _ = cluster.kubeconfig
