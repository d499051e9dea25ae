"""One real cluster with the operator in it, for all end-to-end tests."""

from collections.abc import Iterator

import pytest
from e2e.world import World
from kubernetes import config

from demo import operator_release
from demo.__main__ import EXAMPLES, provide_data
from demo.kubernetes import Kubernetes
from demo.objectstore import BUCKET, s3_client
from demo.target import LocalTarget


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """The local cluster; one that ran before goes on running after."""
    target = LocalTarget()
    kept = target.cluster.healthy
    try:
        images = target.prepare()
        kubernetes = Kubernetes(target.environment)
        operator_release.install(kubernetes, images)
        provide_data(kubernetes, target, EXAMPLES / "data")
        api_client = config.new_client_from_config(str(target.cluster.kubeconfig))
        s3 = s3_client(target.cluster.s3_endpoint, target.credentials)
        yield World(kubernetes, api_client, s3, BUCKET)
        api_client.close()
    finally:
        if not kept:
            target.down()
