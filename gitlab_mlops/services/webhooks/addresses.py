"""To which addresses the forge may connect because a person of some project entered a URL.

Whoever could make the forge connect to its own network would be inside of it: to databases, to
the metadata of a cloud. So a URL is checked when it is entered as far as it goes without asking a
name server, and the address that a name really has each time that something is sent.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from gitlab_mlops.errors import Invalid

MAX_URL = 2000
"""Characters."""
PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 as the name servers of networks without IPv4 write it (RFC 6052)."""
_TEREDO = IPv6Network("2001::/32")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart. `host` is a name or a number as it was written, without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class Networks:
    """Private networks that the operator allows; everything public is allowed anyway."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        """`ValueError` for what is no network, such as `10.0.0.0/8`."""
        self.allowed: tuple[Network, ...] = tuple(ip_network(text) for text in texts)

    def allow(self, address: Address) -> bool:
        """Whether something may be sent to this very address."""
        real = _embedded(address)
        if any(each in network for network in self.allowed for each in {address, real}):
            return True
        return is_public(real)


def is_public(address: Address) -> bool:
    """Whether an address is everybody's; not so for those that hide an IPv4 address in them."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    is_tunnel = address in _TEREDO or address.sixtofour is not None
    return address in _UNICAST and address.is_global and not is_tunnel


def _embedded(address: Address) -> Address:
    """The IPv4 address that packets really go to, if an IPv6 address stands for one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def parse(url: str) -> Target:
    """Take a URL apart; raises `Invalid` with a sentence for one that nothing is sent to."""
    if len(url) > MAX_URL:
        raise Invalid(f"A webhook's URL has at most {MAX_URL:,} characters.")
    # Before it is taken apart: parsers leave some characters out, and differ about others.
    if not url.isascii() or any(letter <= " " or letter in '\\"<>^`{|}\x7f' for letter in url):
        raise Invalid(
            "A webhook's URL has only ASCII letters, digits and punctuation: write names as "
            "xn--..., and anything else with percent signs."
        )
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise Invalid(f"This is no URL: {error}.") from None
    if parts.scheme not in PORTS or not host:
        raise Invalid("A webhook's URL begins with https:// or http://, and a host follows.")
    if "@" in parts.netloc:
        raise Invalid("A webhook's URL has no user name and no password; it can have a secret.")
    if port == 0 or "%" in host:
        raise Invalid("This is no URL: nothing can be sent to its host and port.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], path)


def check(url: str, networks: Networks) -> Target:
    """Refuse (`Invalid`) what is no URL, or names by number what must not be reached.

    Names are looked up when something is sent, because they may mean something else by then.
    """
    target = parse(url)
    for address in _numeric(target.host):
        if not networks.allow(address):
            raise Invalid(refusal(target.host, address))
    return target


def refusal(host: str, address: Address) -> str:
    """Why nothing is sent to an address."""
    shown = host if host == str(address) else f"{host} ({address})"
    return f"{shown} is not a public address, and this forge sends nothing to others."


def resolve(target: Target) -> list[Address]:
    """All addresses of the host, the preferred first; raises `OSError`."""
    return _looked_up(target.host, 0)


def _numeric(host: str) -> list[Address]:
    """The address of a host that is a number in any way of writing one (`0x7f.1`), else none."""
    try:
        return _looked_up(host, socket.AI_NUMERICHOST)
    except OSError:
        return []


def _looked_up(host: str, flags: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError:  # a label of the name is empty or too long
        raise OSError("no such name") from None
    # An address with a zone is link-local, and refused as such.
    texts = [str(place[0]).partition("%")[0] for *_, place in found]
    return [ip_address(text) for text in dict.fromkeys(texts)]
