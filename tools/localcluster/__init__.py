"""A real one-node Kubernetes with object storage and an image registry, and its parts for tests."""

from localcluster.cluster import LocalCluster
from localcluster.control_plane import ControlPlane
from localcluster.errors import LocalClusterError
from localcluster.s3 import S3Server

__all__ = ["ControlPlane", "LocalCluster", "LocalClusterError", "S3Server"]
