"""kubectl, as a user types it."""

import json
import os
import subprocess
from pathlib import Path

from localcluster import binaries

from .cluster import WAIT_SECONDS
from .manifests import Manifest


class Kubectl:
    """A user at a terminal, in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        binaries.ensure(("kubectl",))
        self._command = [str(binaries.path("kubectl")), "--namespace", namespace]
        self._environment = os.environ | {"KUBECONFIG": str(kubeconfig)}

    def start(self, *arguments: str, given: Manifest | None = None) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        started = subprocess.Popen(
            [*self._command, *arguments],
            env=self._environment,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert started.stdin is not None
        started.stdin.write(json.dumps(given) if given else "")
        started.stdin.close()
        started.stdin = None
        return started

    def __call__(self, *arguments: str, given: Manifest | None = None, fails: bool = False) -> str:
        """What it says; it fails only when it is to."""
        started = self.start(*arguments, given=given)
        said, _ = started.communicate(timeout=WAIT_SECONDS)
        assert (started.returncode != 0) == fails, said
        return said

    def wait_for(self, condition: str, run: str) -> "subprocess.Popen[str]":
        return self.start("wait", f"--for=condition={condition}", f"trainingrun/{run}", "--timeout=60s")
