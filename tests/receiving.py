"""A receiver of webhooks on this machine, which answers as a test wants it to."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Received:
    """A request as it came; the names of headers in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers every POST with the next of `answers`, and then always with the last of them."""

    port: int = 0
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "ok")])
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    got: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where to send something."""
        return f"http://127.0.0.1:{self.port}/hook?a=1"

    def wait_for(self, count: int, seconds: float = 20) -> list[Received]:
        """What came, when so much of it is there."""
        ends = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < ends:
            time.sleep(0.02)
        return list(self.got)


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver, for as long as this lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            names = {name.lower(): value for name, value in self.headers.items()}
            answers = receiver.answers
            status, text = answers.pop(0) if len(answers) > 1 else answers[0]
            receiver.got.append(Received(self.path, names, body))
            time.sleep(receiver.seconds)
            with suppress(OSError):
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def speaking(say: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of something that answers every connection with `say`, in bytes of its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    say(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # Closing alone does not wake who accepts.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
