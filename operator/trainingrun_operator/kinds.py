"""Kinds of objects, and where the API server has them."""

from typing import NamedTuple

from trainingrun_api.names import (
    API_VERSION,
    MANAGED_BY_LABEL,
    OPERATOR,
    PROJECT_PLURAL,
    RUN_LABEL,
    RUN_PLURAL,
)


class Kind(NamedTuple):
    """A kind of object: its API, its plural, and labels and fields that choose some where all are listed."""

    api: str
    plural: str
    selector: str = ""
    fields: str = ""

    def path(self, namespace: str = "", name: str = "") -> str:
        """Where an object is; without a name all of the namespace, without a namespace all there are."""
        place = f"/namespaces/{namespace}" if namespace else ""
        return f"/{self.api}{place}/{self.plural}/{name}".rstrip("/")


OURS = f"{MANAGED_BY_LABEL}={OPERATOR},{RUN_LABEL}"
RUNS = Kind(f"apis/{API_VERSION}", RUN_PLURAL)
PROJECTS = Kind(f"apis/{API_VERSION}", PROJECT_PLURAL)
JOBS = Kind("apis/batch/v1", "jobs", OURS)
PODS = Kind("api/v1", "pods", OURS)
REFUSALS = Kind("api/v1", "events", fields="reason=FailedCreate,involvedObject.kind=Job")
"""Events of Jobs whose pods were refused; all Events together would be too many."""
EVENTS = Kind("api/v1", "events")
SECRETS = Kind("api/v1", "secrets")
LEASES = Kind("apis/coordination.k8s.io/v1", "leases")
TOKEN_REVIEWS = Kind("apis/authentication.k8s.io/v1", "tokenreviews")


def resource_of(path: str) -> str:
    """Of /…/namespaces/team/jobs/x jobs; of a path without a namespace its last part."""
    parts = path.partition("/namespaces/")[2].split("/")[1:] or [path.rpartition("/")[2]]
    return "/".join([parts[0], *parts[2:]])
