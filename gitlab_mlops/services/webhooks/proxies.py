"""The way through a proxy, for forges that have no other and whose operator allows this one.

The proxy then looks names up and connects, so it has to keep messages out of private networks.
"""

from __future__ import annotations

import base64
import http.client
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from gitlab_mlops.services.webhooks.addresses import Target


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and what it is told about who asks."""

    host: str
    port: int
    headers: dict[str, str]


def proxy_for(target: Target) -> Proxy | None:
    """The proxy that the environment (`HTTPS_PROXY`, `NO_PROXY`, ...) names for a target."""
    url = urllib.request.getproxies().get(target.scheme)
    if not url or urllib.request.proxy_bypass(target.host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(parts.hostname or "", parts.port or 80, headers)


def connect(proxy: Proxy, target: Target, seconds: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection through the proxy, and what to ask for on it.

    For https it is a tunnel, in which TLS has not begun yet. Raises `OSError`.
    """
    connection = http.client.HTTPConnection(proxy.host, proxy.port, timeout=seconds)
    if target.scheme == "https":
        connection.set_tunnel(target.host, target.port, proxy.headers)
        connection.connect()
        return connection, target.path
    connection.connect()
    return connection, f"http://{target.place}{target.path}"
