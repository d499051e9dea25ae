"""Charts as Helm renders them."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from localcluster import binaries


def rendered(release: str, chart: Path, *options: str) -> list[dict[str, Any]]:
    """All objects of the chart."""
    binaries.ensure(("helm",))
    command = [str(binaries.path("helm")), "template", release, str(chart), *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]
