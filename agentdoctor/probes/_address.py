"""Addresses of servers and proxies, as settings and environments write them. Errors never quote them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Target:
    """A server, without user and password."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        usual = _PORTS[self.scheme]
        return f"{self.scheme}://{self.host}" + ("" if self.port == usual else f":{self.port}")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy. What signs us in at it stays out of every representation."""

    host: str
    port: int
    headers: tuple[str, ...] = field(default=(), repr=False)
    secured: bool = False  # TLS to the proxy itself, by its address; Ruby speaks plain HTTP to it all the same

    @property
    def text(self) -> str:
        return f"{self.host}:{self.port}"


def target(url: str) -> Target:
    """The server of a URL. ValueError if it names none; the message does not quote it."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no http:// or https:// address")
    return Target(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])


def proxy(uri: str, bare: bool = False) -> Proxy:
    """The proxy of a setting. ValueError if it cannot be one. ``bare``: without a scheme it is taken for http://.

    Ruby's URI takes ``proxy:3128`` for a scheme and finds no host in it, so 1.x would go without a proxy.
    """
    server = target(uri if "://" in uri or not bare else f"http://{uri}")
    parts = urlsplit(uri if "://" in uri else f"//{uri}")
    headers: tuple[str, ...] = ()
    if parts.username is not None:
        known = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers = (f"Proxy-Authorization: Basic {base64.b64encode(known).decode('ascii')}",)
    return Proxy(server.host, server.port, headers, server.scheme == "https")


def proxy_in(environment: Mapping[str, str], host: str) -> Proxy | None:
    """The proxy that an environment names for a server that speaks TLS. ValueError if it cannot be one."""
    uri = variable(environment, "https_proxy")
    return proxy(uri, bare=True) if uri and not goes_around(environment, host) else None


def variable(environment: Mapping[str, str], name: str) -> str:
    """A variable whose name may be in small or capital letters."""
    return environment.get(name) or environment.get(name.upper()) or ""


def goes_around(environment: Mapping[str, str], host: str) -> bool:
    """Whether NO_PROXY holds a host: itself, a domain that it is in, or everything."""
    entries = [entry.strip().lower() for entry in variable(environment, "no_proxy").split(",")]
    names = [entry.lstrip("*").lstrip(".") for entry in entries if entry and entry != "*"]
    return "*" in entries or any(host == name or host.endswith(f".{name}") for name in names)
