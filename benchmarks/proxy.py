"""A TCP proxy that holds each packet back for a while: a network between two programs on one machine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue

#: The codes of the requests that may come before a connection's first message: SSLRequest and GSSENCRequest.
REQUESTS = (80877103, 80877104)


class Line:
    """What goes over the proxy: how often a client has asked the server for something and then waited."""

    def __init__(self) -> None:
        self.port = 0
        self.messages = 0

    def reader(self) -> Callable[[bytes], None]:
        """Return a function that is given what one client sends."""
        waiting = bytearray()
        is_open = False

        def read(piece: bytes) -> None:
            nonlocal is_open
            waiting.extend(piece)
            while len(waiting) >= 8 - 3 * is_open:
                length = int.from_bytes(waiting[is_open : is_open + 4]) + is_open
                if len(waiting) < length:
                    return
                if is_open:
                    self.messages += waiting[:1] in (b"Q", b"S")
                else:
                    is_open = int.from_bytes(waiting[4:8]) not in REQUESTS
                del waiting[:length]

        return read


def _forward(source: socket.socket, target: socket.socket, delay: float, look: Callable[[bytes], None]) -> None:
    """Pass on what arrives, each piece `delay` seconds late: pieces overlap, as they do on a line.

    Threads, and not asyncio, whose timers know whole milliseconds only.
    """
    pieces: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

    def send() -> None:
        with contextlib.suppress(OSError):
            while True:
                due, piece = pieces.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not piece:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(piece)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    piece = b"open"
    while piece:
        try:
            piece = source.recv(65536)
        except OSError:
            piece = b""
        look(piece)
        pieces.put((time.monotonic() + delay, piece))
    sender.join()


def _connect(near: socket.socket, host: str, port: int, delay: float, line: Line) -> None:
    """Carry one connection, both ways, until both sides have ended it."""
    with near, socket.create_connection((host, port)) as far:
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_forward, args=(far, near, delay, lambda piece: None), daemon=True)
        back.start()
        _forward(near, far, delay, line.reader())
        back.join()


@contextlib.contextmanager
def delayed(host: str, port: int, round_trip: float) -> Iterator[Line]:
    """Listen on a free port, and connect whoever comes with `host` and `port`."""
    line = Line()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                arguments = (near, host, port, round_trip / 2, line)
                threading.Thread(target=_connect, args=arguments, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        line.port = listener.getsockname()[1]
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield line
        finally:
            # close() alone would leave accept() waiting.
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
