"""A server that lies: it stands before a real one, speaks its protocol, and changes what that one answers.

The messages are those of the chapter "Frontend/Backend Protocol", as far as simple queries need them.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from psycopg import conninfo

#: The OID of type text.
TEXT = 25


@dataclass
class Liar:
    """What is changed: of one result, by its number in the connection, one column or the rows."""

    #: How many results with rows a connection has had, and the names of their columns.
    seen: list[list[str]] = field(default_factory=list)
    result: int | None = None
    column: int | None = None
    #: What stands in the column instead, in every row; None: NULL.
    value: bytes | None = None
    #: Whether the column is said to be of type text.
    as_text: bool = False
    #: Whether the first row is left out.
    too_few: bool = False
    _row: int = 0

    def changed(self, kind: bytes, body: bytes) -> bytes | None:
        """Return a message of the server's as the client gets it; None: not at all."""
        if kind == b"T":
            self.seen.append(_names(body))
            self._row = 0
        if len(self.seen) - 1 != self.result or kind not in (b"T", b"D"):
            return body
        if kind == b"T":
            return _retyped(body, self.column) if self.as_text and self.column is not None else body
        self._row += 1
        if self.too_few and self._row == 1:
            return None
        return body if self.column is None else _replaced(body, self.column, self.value)


def _names(body: bytes) -> list[str]:
    (count,) = struct.unpack_from("!h", body)
    names, position = [], 2
    for _ in range(count):
        end = body.index(b"\0", position)
        names.append(body[position:end].decode())
        position = end + 19
    return names


def _retyped(body: bytes, column: int) -> bytes:
    position = 2
    for place in range(struct.unpack_from("!h", body)[0]):
        end = body.index(b"\0", position)
        if place == column:
            return body[: end + 7] + struct.pack("!I", TEXT) + body[end + 11 :]
        position = end + 19
    return body


def _replaced(body: bytes, column: int, value: bytes | None) -> bytes:
    parts, position = [body[:2]], 2
    for place in range(struct.unpack_from("!h", body)[0]):
        (length,) = struct.unpack_from("!i", body, position)
        end = position + 4 + max(length, 0)
        if place == column:
            parts.append(struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value)
        else:
            parts.append(body[position:end])
        position = end
    return b"".join(parts)


@contextlib.contextmanager
def lying(dsn: str, liar: Liar) -> Iterator[str]:
    """Yield the connection string of a server that lies about the one of `dsn`."""
    real = conninfo.conninfo_to_dict(dsn)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.create_connection((str(real["host"]), int(str(real["port"]))))
                    for end in (client, server):
                        # Row after row would wait for an acknowledgement.
                        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=_forward, args=(client, server), daemon=True).start()
                    threading.Thread(target=_answer, args=(server, client, liar), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        yield conninfo.make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        # Wakes accept() up.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _forward(client: socket.socket, server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := client.recv(65536):
            server.sendall(data)
    with contextlib.suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _answer(server: socket.socket, client: socket.socket, liar: Liar) -> None:
    stream = server.makefile("rb")
    with contextlib.suppress(OSError, struct.error):
        while head := stream.read(5):
            kind, (length,) = head[:1], struct.unpack("!i", head[1:])
            body = liar.changed(kind, stream.read(length - 4))
            if body is not None:
                client.sendall(kind + struct.pack("!i", len(body) + 4) + body)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
