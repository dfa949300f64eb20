"""A network between a client and a server that can be struck: it delays, cuts, half-closes, or drops all that comes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

#: What can happen to a message. `drop`: nothing is passed on any more, in neither direction, on no connection.
FAULTS = ("delay", "cut", "half-close", "drop")
#: How long a message is held back, in seconds.
DELAY = 0.3


class Network:
    """Passes on what both sides send, and strikes at one of the messages, whoever sends it."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        #: How many messages have passed.
        self.messages = 0
        #: What to do, at which message.
        self.fault: str | None = None
        self.at = 0
        self._is_silent = threading.Event()
        self._is_over = threading.Event()
        self.port = 0

    def strike(self, fault: str, at: int | None = None) -> None:
        """Strike at this message, counted from the first of all; None: at the next."""
        with self._lock:
            self.at = self.messages if at is None else at
            self.fault = fault

    def heal(self) -> None:
        """End all connections: what was dropped is lost, and both sides hear of it."""
        self._is_over.set()
        with self._lock:
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def serve(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near:
            if self._is_silent.is_set():
                self._keep(near)
                self._is_over.wait()
                return
            with contextlib.suppress(OSError), socket.create_connection(self._target) as far:
                self._keep(near)
                self._keep(far)
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=self._pass_on, args=(far, near), daemon=True)
                back.start()
                self._pass_on(near, far)
                back.join()

    def _keep(self, end: socket.socket) -> None:
        with self._lock:
            self._ends.append(end)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if self._is_silent.is_set() or self._struck(source, target):
                    # The network tells neither side that it has dropped something.
                    if self._is_silent.is_set():
                        self._is_over.wait()
                    return
                target.sendall(piece)
        if self._is_silent.is_set():
            self._is_over.wait()
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _struck(self, source: socket.socket, target: socket.socket) -> bool:
        """Return whether the message is lost."""
        with self._lock:
            number, self.messages = self.messages, self.messages + 1
            fault = self.fault if number == self.at else None
        match fault:
            case "delay":
                time.sleep(DELAY)
            case "cut":
                for end in (source, target):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
            case "half-close":
                # One direction ends, the other stays open.
                target.shutdown(socket.SHUT_WR)
            case "drop":
                self._is_silent.set()
        return fault in ("cut", "half-close", "drop")


@contextlib.contextmanager
def network_to(host: str, port: int) -> Iterator[Network]:
    """Listen on a free port, and connect whoever comes with `host` and `port`."""
    network = Network(host, port)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=network.serve, args=(listener,), daemon=True)
        network.port = listener.getsockname()[1]
        thread.start()
        try:
            yield network
        finally:
            network.heal()
            with contextlib.suppress(OSError):
                # close() alone would leave accept() waiting.
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()
