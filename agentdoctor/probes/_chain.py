"""The chain to a server, link by link. Nothing is sent but a bare request without credentials."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from agentdoctor.probes import CannotLook, Values
from agentdoctor.probes._address import Proxy, Target
from agentdoctor.probes._certificate import issuer
from agentdoctor.probes._connection import Deadline, Lookup, connect, exchange, look_up, secure, trusting, why

if TYPE_CHECKING:
    import ssl

TALK_SECONDS = 1.8  # for all that a probe does; it has 2 s in all


@dataclass(frozen=True)
class Way:
    """How to look: how names are looked up, whom to trust (None: whom this host trusts), for what page to ask.

    ``headers`` of the answer, in small letters, that shall be among the values.
    """

    lookup: Lookup = socket.getaddrinfo
    trust: ssl.SSLContext | None = None
    path: str = "/"
    method: str = "GET"
    headers: tuple[str, ...] = ()


PLAIN = Way()


class _Broken(Exception):
    """A link does not hold; the values say which and why."""


def follow(
    target: Target, proxy: Proxy | None, clock: Callable[[], float], deadline: Deadline, way: Way = PLAIN
) -> Values:
    """The values of ``network.commands`` for a server. CannotLook when our own process or time is what failed.

    ``clock`` gives the host's time in seconds since the epoch.
    """
    started = time.monotonic()
    chain = _Chain(target, proxy, deadline, way)
    try:
        chain.resolve()
        chain.open()
        chain.secure()
        chain.ask(clock)
    except _Broken:
        pass
    finally:
        chain.close()
    chain.values["ms"] = round((time.monotonic() - started) * 1000, 1)
    return chain.values


def _nothing(target: Target, proxy: Proxy | None) -> Values:
    """The values before anything was looked at."""
    unknown = ("dns", "private", "tcp", "tls", "issuer", "http", "date_offset", "proxy_ok", "proxy_status")
    errors = ("dns_error", "tcp_error", "tls_error", "http_error", "proxy_error")
    return {
        "host": target.host,
        "port": target.port,
        "via_proxy": proxy is not None,
        "proxy": proxy.text if proxy else "",
        "addresses": [],
        **dict.fromkeys(unknown),
        **dict.fromkeys(errors, ""),
    }


class _Chain:
    """One walk. Each step writes what it learned into ``values`` and raises _Broken when nothing can follow."""

    def __init__(self, target: Target, proxy: Proxy | None, deadline: Deadline, way: Way) -> None:
        self.values = _nothing(target, proxy)
        self._target, self._proxy, self._deadline, self._way = target, proxy, deadline, way
        self._first = proxy or target  # to whom the first connection goes
        self._socket: socket.socket | None = None

    def resolve(self) -> None:
        try:
            addresses = look_up(self._first.host, self._first.port, self._deadline, self._way.lookup)
        except (OSError, UnicodeError) as error:
            raise self._broken("dns", error) from None
        self.values.update(dns=True, addresses=addresses)
        if not self._proxy:
            self.values["private"] = are_private(addresses)

    def open(self) -> None:
        """A connection to the server, through the proxy if there is one."""
        try:
            self._socket = connect(self.values["addresses"], self._first.port, self._deadline)
        except OSError as error:
            raise self._broken("tcp", error) from None
        self.values["tcp"] = True
        if self._proxy:
            self._tunnel(self._socket, self._proxy)

    def _tunnel(self, connected: socket.socket, proxy: Proxy) -> None:
        """RFC 9110, 9.3.6. The proxy's password goes to the proxy alone."""
        server = f"{self._target.host}:{self._target.port}"
        lines = [f"CONNECT {server} HTTP/1.1", f"Host: {server}", *proxy.headers]
        try:
            self.values["proxy_status"], _ = exchange(connected, lines, self._deadline)
        except OSError as error:
            raise self._broken("proxy", error) from None
        if not 200 <= self.values["proxy_status"] < 300:
            self.values["proxy_ok"] = False
            raise _Broken
        self.values["proxy_ok"] = True

    def secure(self) -> None:
        """TLS with the server, by the trust of this host; where that fails, at least who signed what was shown."""
        import ssl

        if self._target.scheme != "https":
            return
        trust = self._way.trust or trusting()
        try:
            self.values["issuer"] = self._signer(trust)
        except (OSError, ValueError) as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                self.values["issuer"] = self._without_trust()
            raise self._broken("tls", error) from None
        self.values["tls"] = True

    def _signer(self, trust: ssl.SSLContext) -> str | None:
        assert self._socket
        self._socket = secured = secure(self._socket, self._target.host, trust, self._deadline)
        return issuer(secured.getpeercert(True) or b"")

    def _without_trust(self) -> str | None:
        """Once more, for the certificate alone: nothing is sent over that connection."""
        import ssl

        trust = trusting()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        again = _Chain(self._target, self._proxy, self._deadline, self._way)
        again.values["addresses"] = self.values["addresses"]
        try:
            again.open()
            return again._signer(trust)
        except (OSError, ValueError, CannotLook, _Broken):
            return None
        finally:
            again.close()

    def ask(self, clock: Callable[[], float]) -> None:
        """Any status proves the chain: without a signature AWS answers 400, 403 or 404."""
        assert self._socket
        lines = [
            f"{self._way.method} {self._way.path} HTTP/1.1",
            f"Host: {self._target.host}",
            "User-Agent: agentdoctor",
        ]
        before = clock()
        try:
            self.values["http"], said = exchange(self._socket, [*lines, "Connection: close"], self._deadline)
        except OSError as error:
            raise self._broken("http", error) from None
        if self._way.headers:
            self.values["headers"] = {name: said[name] for name in self._way.headers if name in said}
        at = _epoch(said.get("date", ""))  # whole seconds, cut off: half a second more on average
        self.values["date_offset"] = None if at is None else round((before + clock()) / 2 - at - 0.5, 1)

    def _broken(self, link: str, error: Exception) -> _Broken:
        """What to raise for a link that does not hold. An HTTP status has no False."""
        self.values[f"{link}_error"] = why(error)
        if link in ("dns", "tcp", "tls"):
            self.values[link] = False
        if self._proxy and self.values["proxy_ok"] is None:  # the way to it, or the proxy itself
            self.values["proxy_ok"] = False
        return _Broken()

    def close(self) -> None:
        """Hang up."""
        if self._socket:
            self._socket.close()


def are_private(addresses: Sequence[str]) -> bool:
    """Whether none of them is of the internet. Not RFC 1918 alone: a VPC may use 100.64.0.0/10 as well."""
    return not any(ip_address(each.partition("%")[0]).is_global for each in addresses)


def _epoch(date: str) -> float | None:
    """Seconds since the epoch of a Date header."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
