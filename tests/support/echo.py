"""A server that repeats the password that it is given, as no PostgreSQL does."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def echoing() -> Iterator[int]:
    """Yield the port of a server that asks for the password in clear, and refuses it by name."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        # Wakes accept() up.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, client.makefile("rb") as stream, contextlib.suppress(OSError, struct.error):
                user = _rest(stream).split(b"\0")[1]
                # AuthenticationCleartextPassword.
                client.sendall(b"R" + struct.pack("!ii", 8, 3))
                stream.read(1)
                password = _rest(stream).rstrip(b"\0")
                said = b"role %b with %b does not exist" % (user, password)
                fields = b"SFATAL\0VFATAL\0C28P01\0M" + said + b"\0\0"
                client.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)


def _rest(stream: object) -> bytes:
    """Return the part of a message that follows its length; of the first one, without the protocol's version."""
    (length,) = struct.unpack("!i", stream.read(4))  # type: ignore[attr-defined]
    body: bytes = stream.read(length - 4)  # type: ignore[attr-defined]
    return body[4:] if body.startswith(b"\0\3") else body
