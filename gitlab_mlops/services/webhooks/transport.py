"""Sends one message to the address that a webhook names: the only way from here to the outside.

Python's own HTTP client, on a connection that is made here. So we connect to the very address that
was checked, and hold the socket before the first byte of TLS: nobody keeps us longer than
`LONGEST`, whether by a slow handshake, slow headers or a slow body.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.webhooks import addresses, proxies
from gitlab_mlops.services.webhooks.addresses import Address, Networks, Target
from gitlab_mlops.settings import Settings

CONNECT = 5.0
"""Seconds to connect to an address."""
LONGEST = 10.0
"""Seconds for everything after that."""
MAX_ANSWER = 1024
"""Bytes of an answer's body that are read."""
MAX_ADDRESSES = 3
"""Addresses of a host that are tried."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message. `status` is None without an answer; `reason` is empty if it is good.

    `body` is how the answer begins, and `took` is in milliseconds. `is_final`: trying again would
    not help.
    """

    status: int | None
    reason: str
    body: str = ""
    took: int = 0
    is_final: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the receiver has the message."""
        return not self.reason


class Refused(Exception):
    """Nothing was sent; the text says why."""


@cache
def _tls() -> ssl.SSLContext:
    """Checks certificates, by the authorities that the system trusts."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Transport:
    """How to get out of here. `through_proxy`: as the environment of the process says."""

    networks: Networks
    through_proxy: bool = False
    resolve: Callable[[Target], list[Address]] = addresses.resolve
    tls: Callable[[], ssl.SSLContext] = _tls
    longest: float = LONGEST

    @classmethod
    def of(cls, settings: Settings) -> Transport:
        """As the operator says; `ValueError` for a network that is none."""
        try:
            networks = Networks(settings.webhooks_allow_private)
        except ValueError as error:
            raise ValueError(f"MLOPS_WEBHOOKS_ALLOW_PRIVATE: {error}") from None
        return cls(networks, settings.webhooks_through_proxy)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a message, and tell how that went; raises nothing."""
        began = time.monotonic()
        answer = self._post(url, body, headers)
        return replace(answer, took=int((time.monotonic() - began) * 1000))

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        clock = _Clock(self.longest)
        try:
            target = addresses.parse(url)
            with self._connection(target, clock) as (connection, place):
                connection.request("POST", place, body, {"Host": target.place, **headers})
                return _read(connection.getresponse())
        except (Refused, Invalid) as error:
            return Answer(None, str(error))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(None, self._problem(error, clock))

    @contextmanager
    def _connection(
        self, target: Target, clock: _Clock
    ) -> Iterator[tuple[http.client.HTTPConnection, str]]:
        """A connection to the target, with TLS if it is meant to be, and what to ask for on it."""
        connection, place = self._open(target)
        try:
            with clock.watching(connection.sock):
                if target.scheme == "https":
                    connection.sock = self.tls().wrap_socket(
                        connection.sock, server_hostname=target.host
                    )
                yield connection, place
        finally:
            connection.close()

    def _open(self, target: Target) -> tuple[http.client.HTTPConnection, str]:
        proxy = proxies.proxy_for(target) if self.through_proxy else None
        if proxy is not None:
            return proxies.connect(proxy, target, CONNECT)
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = self._reach(target)
        return connection, target.path

    def _reach(self, target: Target) -> socket.socket:
        """A connection to one of the host's addresses, after a look at all of them."""
        problem = ""
        for address in self._addresses(target)[:MAX_ADDRESSES]:
            try:
                return socket.create_connection((str(address), target.port), CONNECT)
            except TimeoutError:
                problem = f"it does not answer within {CONNECT:g} seconds"
            except OSError as error:
                problem = error.strerror or str(error)
        raise Refused(f"No connection to {target.place}: {problem}.")

    def _addresses(self, target: Target) -> list[Address]:
        """Where the host is. Which address comes first is the name server's choice each time."""
        try:
            found = self.resolve(target)
        except OSError:
            raise Refused(f"There is no host {target.host}.") from None
        for address in found:
            if not self.networks.allow(address):
                raise Refused(addresses.refusal(target.host, address))
        return found

    def _problem(self, error: Exception, clock: _Clock) -> str:
        if clock.has_rung or isinstance(error, TimeoutError):
            return f"It did not answer within {self.longest:g} seconds."
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"Its certificate is not good: {error.verify_message}."
        if isinstance(error, ssl.SSLError):
            return f"TLS failed: {error.reason or error}."
        if isinstance(error, OSError):
            return f"The connection broke: {error.strerror or error}."
        return "What it answered is no HTTP."


def _read(response: http.client.HTTPResponse) -> Answer:
    """The answer. With its status all is said; the rest of it is for people, if it comes."""
    body = b""
    with suppress(OSError, http.client.HTTPException, ValueError):
        while len(body) < MAX_ANSWER and (piece := response.read1(MAX_ANSWER - len(body))):
            body += piece
    # A NUL would be an error in PostgreSQL.
    text = body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Answer(response.status, _verdict(response.status), text)


def _verdict(status: int) -> str:
    """Why an answer is not good; empty if it is."""
    if 200 <= status < 300:
        return ""
    try:
        shown = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        shown = str(status)
    if 300 <= status < 400:
        return f"It answered {shown}. Redirects are not followed: enter the address itself."
    return f"It answered {shown}."


class _Clock:
    """Breaks a connection when its time is up, whatever it is doing."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.has_rung = False

    @contextmanager
    def watching(self, connection: socket.socket) -> Iterator[None]:
        """Watch a connection for as long as this lasts."""
        connection.settimeout(self.seconds)
        # A second handle, because TLS takes the first one away.
        handle = connection.dup()
        timer = threading.Timer(self.seconds, self._ring, [handle])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            handle.close()

    def _ring(self, handle: socket.socket) -> None:
        self.has_rung = True
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)
