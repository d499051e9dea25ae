"""Looks the locked Python packages of the images up among known vulnerabilities; one that is known fails."""

import subprocess
import sys
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("operator/requirements.lock", "trainer_image/requirements.lock")
DATABASE = "https://api.osv.dev"
TIMEOUT_SECONDS = 10.0


def main() -> int:
    """The exit status: 0 also where there is no way to the data base, which is said."""
    try:
        httpx2.get(DATABASE, timeout=TIMEOUT_SECONDS)
    except httpx2.TransportError as error:
        print(f"skipped: the data base of vulnerabilities at {DATABASE} can't be reached ({error})")
        return 0
    asked = [option for lock in LOCKS for option in ("--requirement", str(ROOT / lock))]
    options = ("--vulnerability-service=osv", "--disable-pip", "--require-hashes")
    return subprocess.run([sys.executable, "-m", "pip_audit", *options, *asked], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
