"""kubectl, as the user would call it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localcluster import binaries
from localcluster.process import execute
from localcluster.progress import say


@dataclass(frozen=True)
class Kubernetes:
    """One cluster, by the environment that kubectl finds it with."""

    environment: Mapping[str, str]

    def kubectl(self, *arguments: str, standard_input: str | None = None) -> str:
        """Run kubectl and give what it printed; raises LocalClusterError with what it said."""
        program = str(binaries.path("kubectl"))
        return execute(program, *arguments, standard_input=standard_input, environment=self.environment)

    def show(self, *arguments: str) -> None:
        """Run kubectl for the user to see, with its command line."""
        say(f"\n$ kubectl {' '.join(arguments)}")
        say(self.kubectl(*arguments).rstrip())

    def apply(self, manifests: Sequence[Mapping[str, object]]) -> None:
        """Apply manifests on the server's side."""
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", standard_input=items)
