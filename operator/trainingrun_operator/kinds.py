"""Kinds of objects, and where the API server has them."""

from typing import NamedTuple

from trainingrun_api.names import (
    API_VERSION,
    MANAGED_BY_LABEL,
    OPERATOR,
    PROJECT_KIND,
    PROJECT_PLURAL,
    RUN_KIND,
    RUN_LABEL,
    RUN_PLURAL,
)


class Kind(NamedTuple):
    """A kind of object: its name, its API, and labels and fields that choose some where all are listed."""

    name: str
    api: str
    plural: str
    selector: str = ""
    fields: str = ""

    def path(self, namespace: str = "", name: str = "") -> str:
        """Where an object is; without a name all of the namespace, without a namespace all there are."""
        place = f"/namespaces/{namespace}" if namespace else ""
        return f"/{self.api}{place}/{self.plural}/{name}".rstrip("/")

    @property
    def resource(self) -> tuple[str, str, str]:
        """Its API's group, "" for the core's, version and plural."""
        _, *group, version = self.api.split("/")
        return "".join(group), version, self.plural


OURS = f"{MANAGED_BY_LABEL}={OPERATOR},{RUN_LABEL}"
RUNS = Kind(RUN_KIND, f"apis/{API_VERSION}", RUN_PLURAL)
PROJECTS = Kind(PROJECT_KIND, f"apis/{API_VERSION}", PROJECT_PLURAL)
PODS = Kind("Pod", "api/v1", "pods", OURS)
EVENTS = Kind("Event", "api/v1", "events")
SECRETS = Kind("Secret", "api/v1", "secrets")
SERVICES = Kind("Service", "api/v1", "services")
LEASES = Kind("Lease", "apis/coordination.k8s.io/v1", "leases")
TOKEN_REVIEWS = Kind("TokenReview", "apis/authentication.k8s.io/v1", "tokenreviews")


def resource_of(path: str) -> str:
    """Of /…/namespaces/team/jobs/x jobs; of a path without a namespace its last part."""
    parts = path.partition("/namespaces/")[2].split("/")[1:] or [path.rpartition("/")[2]]
    return "/".join([parts[0], *parts[2:]])
