"""The links of a connection, each within one time limit: name, TCP, TLS, one HTTP exchange."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from agentdoctor.probes import CannotLook
from agentdoctor.probes._metadata import CONNECT_SECONDS, reason

if TYPE_CHECKING:
    import ssl

LEAST_SECONDS = 0.2  # with less than this at its beginning, a link that takes too long proves nothing
HEAD_LIMIT = 16 * 1024
Lookup = Callable[..., list[tuple[Any, ...]]]


class NotHttp(OSError):
    """Something answered, and it is not HTTP."""


class Deadline:
    """The moment at which all links together must be done."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, never less than a moment, because 0 would mean without a limit."""
        return max(0.001, self._end - time.monotonic())

    def enough(self, link: str) -> float:
        """Seconds that a link may take. CannotLook where they are too few to prove anything."""
        if self.left() < LEAST_SECONDS:
            raise CannotLook(f"no time was left to look at {link}")
        return self.left()


def look_up(host: str, port: int, deadline: Deadline, lookup: Lookup) -> list[str]:
    """The addresses of a name. socket.gaierror, UnicodeError; CannotLook when no answer comes in time.

    getaddrinfo knows no time limit, so it works in a thread that may be left behind. The agent would wait longer,
    so silence proves nothing.
    """
    answers: list[Any] = []

    def work() -> None:
        try:
            answers.append(lookup(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
            answers.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(deadline.enough("the name"))
    if not answers:
        raise CannotLook(f"no answer to a look-up of {host} in time")
    if isinstance(answers[0], Exception):
        raise answers[0]
    return list(dict.fromkeys(str(entry[4][0]) for entry in answers[0]))


def connect(addresses: Iterable[str], port: int, deadline: Deadline) -> socket.socket:
    """To the first address that takes it; those that refuse at once cost no time. OSError of the last one."""
    error: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection(
                (address, port), timeout=min(CONNECT_SECONDS, deadline.enough("a connection"))
            )
        except OSError as failed:
            error = failed
        except CannotLook:
            if error is None:
                raise
            break
    raise error or OSError("no address")


def trusting(cafile: str | None = None) -> ssl.SSLContext:
    """Trust as Ruby's OpenSSL gives it: the store of this host, or one file.

    Python 3.13 is stricter than that (VERIFY_X509_STRICT), and would refuse authorities that serve the agent well.
    """
    import ssl

    context = ssl.create_default_context(cafile=cafile)
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    return context


def secure(connected: socket.socket, host: str, trust: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    """TLS over a connection, which is closed where that fails. OSError; ValueError for a host that is no name."""
    connected.settimeout(deadline.enough("TLS"))
    return trust.wrap_socket(connected, server_hostname=host)


def exchange(connected: socket.socket, lines: Iterable[str], deadline: Deadline) -> tuple[int, dict[str, str]]:
    """One request without a body; status and headers (in small letters) of the answer, the body unread. OSError."""
    connected.settimeout(deadline.enough("HTTP"))
    connected.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_LIMIT:
        connected.settimeout(deadline.left())
        piece = connected.recv(4096)
        if not piece:
            raise ConnectionResetError
        head += piece
    status = re.match(rb"HTTP/\d\.\d (\d{3})\b", head)
    if not status:
        raise NotHttp
    return int(status[1]), {name.decode().lower(): value.decode("latin-1").strip() for name, value in _headers(head)}


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    """Of several of one name the first counts, so it comes last."""
    return re.findall(rb"^([\w-]{1,100}):[ \t]*([^\r\n]{0,1000})", head, re.MULTILINE | re.ASCII)[::-1]


# Where OpenSSL's words (x509_vfy.h) are for programmers; its own text does for the others.
_DISTRUST = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is signed by itself alone",
    19: "this host does not trust who signed the certificate",
    20: "this host does not trust who signed the certificate",
    62: "the certificate is for another name",
    64: "the certificate is for another name",
}
_NO_NAME = {
    socket.EAI_NONAME: "no such name",
    socket.EAI_AGAIN: "no name server gives an answer",  # what the failure of a name server becomes, too
}


def why(error: Exception) -> str:
    """Why a link does not hold, in a few words. CannotLook when our own process is what stands in the way."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return _DISTRUST.get(error.verify_code, error.verify_message)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "connection closed"
    if isinstance(error, ssl.SSLError):  # its number is not one of the system's errors
        return (error.reason or "the handshake failed").replace("_", " ").lower()
    if isinstance(error, socket.gaierror):
        return _NO_NAME.get(error.errno or 0) or str(error.strerror)
    if isinstance(error, NotHttp):
        return "not an HTTP answer"
    return reason(error) if isinstance(error, OSError) else "not a name"
