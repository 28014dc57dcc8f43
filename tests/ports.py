"""Ports for the servers of tests."""

from __future__ import annotations

import secrets
import socket

# Below those that Linux gives to the outgoing ends of connections (from 32768): nobody takes one
# between the moment it is found free and the moment a server listens to it.
FIRST, COUNT = 20_000, 12_000


def free_port() -> int:
    """A port of the loopback interface that nobody listens to; by chance, so that several
    processes that ask at once get several."""
    while True:
        port = FIRST + secrets.randbelow(COUNT)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
