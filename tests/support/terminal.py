"""A command on a terminal of its own: a pty with a size, a keyboard, and Ctrl-C that is a real signal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from typing import Any

CTRL_C, CTRL_D = "\x03", "\x04"

#: Cursor movements and colours.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


class Terminal:
    """A running command."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.raw = ""

    @property
    def text(self) -> str:
        """What has been shown so far, without colours."""
        return ESCAPES.sub("", self.raw).replace("\r", "")

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, *, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.text:
            if time.monotonic() > deadline or not self._read(deadline):
                raise AssertionError(f"{text!r} did not come: {self.text}")

    def end(self, *, seconds: float = 60) -> int:
        """Wait for the end; return the exit status, negative where a signal ended it."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        try:
            # On Linux the last read from a pty that has been left is an error.
            read = os.read(self._master, 65536) if ready else b""
        except OSError:
            read = b""
        self.raw += read.decode(errors="replace")
        return bool(read)


@contextlib.contextmanager
def terminal(*arguments: str, columns: int = 80, rows: int = 40, **environment: str) -> Iterator[Terminal]:
    """Run `seqfix` on a terminal."""
    command = [sys.executable, "-m", "airflow_seqfix", *arguments]
    with on_a_terminal(command, columns=columns, rows=rows, **environment) as running:
        yield running


@contextlib.contextmanager
def on_a_terminal(
    command: list[str], *, columns: int = 80, rows: int = 40, options: dict[str, Any] | None = None, **environment: str
) -> Iterator[Terminal]:
    """Run any command on a terminal.

    :param options: Of `subprocess.Popen`, to send a stream elsewhere.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def own_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    streams = {"stdin": slave, "stdout": slave, "stderr": slave} | (options or {})
    process = subprocess.Popen(
        command, preexec_fn=own_the_terminal, env=inherited | {"TERM": "xterm-256color"} | environment, **streams
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.close(master)
