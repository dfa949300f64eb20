"""A TCP proxy that holds each packet back for a while: a network between two programs on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator

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


async def _forward(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    delay: float,
    look: Callable[[bytes], None] = lambda piece: None,
) -> None:
    """Pass on what arrives, each piece `delay` seconds late: pieces overlap, as they do on a line."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send() -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(piece)
            if not piece:
                return
            await writer.drain()

    sender = asyncio.create_task(send())
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            look(piece)
            pieces.put_nowait((loop.time() + delay, piece))
    pieces.put_nowait((loop.time() + delay, b""))
    with contextlib.suppress(ConnectionError):
        await sender
    writer.close()


async def serve(host: str, port: int, delay: float, line: Line) -> asyncio.Server:
    """Listen on a free port, and connect whoever comes with `host` and `port`."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, port)
        look = line.reader()
        await asyncio.gather(_forward(reader, far_writer, delay, look), _forward(far_reader, writer, delay))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    return server


@contextlib.contextmanager
def delayed(host: str, port: int, round_trip: float) -> Iterator[Line]:
    """Serve from a thread."""
    loop = asyncio.new_event_loop()
    line = Line()
    loop.run_until_complete(serve(host, port, round_trip / 2, line))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield line
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
