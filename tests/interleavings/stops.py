"""A line to the server on which a program can be stopped before each of its statements.

Nothing of the program is patched: it sends its messages to a proxy, which does something else before it passes one on.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from psycopg import conninfo

#: The codes of the requests that may come before a connection's first message: SSLRequest and GSSENCRequest.
REQUESTS = (80877103, 80877104)


class Stops:
    """Counts the statements that go over the line, and calls `at_stop` before one of them."""

    def __init__(self, dsn: str, stop: int | None, at_stop: Callable[[], None]) -> None:
        parts = conninfo.conninfo_to_dict(dsn)
        self._server = (str(parts["host"]), int(str(parts["port"])))
        self._stop = stop
        self._at_stop = at_stop
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.statements: list[str] = []
        self.dsn = conninfo.make_conninfo(
            dsn, host="127.0.0.1", port=self._listener.getsockname()[1], sslmode="disable", gssencmode="disable"
        )

    @contextlib.contextmanager
    def open(self) -> Iterator[Stops]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                for end in (client, server):
                    # Message after message would wait for an acknowledgement.
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=_copy, args=(server, client), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on whole messages, so that the server has nothing of a statement before its turn."""
        is_open = False
        with contextlib.suppress(OSError, EOFError):
            while True:
                head = _read(client, 5 if is_open else 4)
                message = head + _read(client, int.from_bytes(head[-4:]) - 4)
                if is_open and message[:1] in (b"Q", b"P"):
                    self._count(message)
                is_open = is_open or int.from_bytes(message[4:8]) not in REQUESTS
                server.sendall(message)
        for line in (client, server):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _count(self, message: bytes) -> None:
        with self._lock:
            self.statements.append(message[5:].strip(b"\0").decode(errors="replace"))
            if len(self.statements) - 1 == self._stop:
                self._at_stop()


def _read(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = line.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for line in (source, target):
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
