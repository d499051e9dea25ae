"""The tutorial, typed as it stands."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from e2e.world import World
from readme import BLOCK, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]

SIGNIFICANT = re.compile(r"│ +yes │ .* │ +yes │$", re.MULTILINE)
WHOLE_CLUSTER = ("make demo\n", 'eval "$(make -s env)"\n')
"""The fixture has done these: the tests of other modules use the same cluster."""


def test_a_newcomer_comes_to_a_model_that_is_compared_and_used(world: World, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_bytes(Path(world.kubernetes.environment["KUBECONFIG"]).read_bytes())
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    script = "".join(BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text()))
    for done in WHOLE_CLUSTER:
        assert done in script
        script = script.replace(done, "")
    environment = os.environ | world.kubernetes.environment | {"KUBECONFIG": str(kubeconfig)}
    # One shell, as the newcomer has it; it ends at the first command that fails.
    typed = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    said = typed.stdout + typed.stderr
    assert typed.returncode == 0, said
    assert "reviews.yaml: TrainingRun reviews is valid" in typed.stdout
    assert "Succeeded: Completed" in typed.stdout
    assert "<html" in (tmp_path / "reviews.html").read_text()
    assert (tmp_path / "model" / "model.safetensors").exists()
    assert '"labels": ["negative"]' in typed.stdout
    assert '"unknown": true' in typed.stdout
    assert SIGNIFICANT.search(typed.stdout), said
    assert shlex.split(script)[-1] == "reviews-context"
