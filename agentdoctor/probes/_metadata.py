"""Talking to the instance metadata service: plain HTTP to one address, within a time limit, never through a proxy."""

from __future__ import annotations

import errno
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, _hops

if TYPE_CHECKING:
    import http.client  # 12 ms, which a copied tree need not spend

CONNECT_SECONDS = 1.2  # to one address: a packet that got lost is sent again after 1 s
ANSWER_SECONDS = 1.0
TALK_SECONDS = 1.6  # for all requests of one probe, which has 2 s in all
BODY_LIMIT = 64 * 1024
META = "/latest/meta-data/"
TOKEN_PATH = "/latest/api/token"  # EC2 user guide, "Use the Instance Metadata Service"
TOKEN_TTL = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
TOKEN_HEADER = "X-aws-ec2-metadata-token"

# These say something about our own process, nothing about the metadata service.
_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT)
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


class NoAnswer(Exception):
    """No HTTP answer came. ``connected`` says whether there was a TCP connection."""

    def __init__(self, reason: str, connected: bool) -> None:
        super().__init__(reason)
        self.connected = connected


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. The body may hold credentials, so it stays out of every representation."""

    status: int
    date: str
    body: bytes = field(repr=False)


class _Socket(socket.socket):
    """A socket whose reads all end at one moment, so that a peer that drips bytes cannot hold us."""

    end = 0.0

    def recv_into(self, *args: Any) -> int:
        self.settimeout(max(0.001, self.end - time.monotonic()))
        return super().recv_into(*args)


class Talk:
    """The requests of one probe to the metadata service of a host."""

    def __init__(self, host: Host) -> None:
        self._end = time.monotonic() + TALK_SECONDS
        try:
            parts = urlsplit(host.imds_endpoint)
            self._name, self._port = parts.hostname or "", parts.port or 80
        except ValueError:
            raise CannotLook(f"{host.imds_endpoint} is no address") from None
        if parts.scheme != "http" or not self._name:
            raise CannotLook(f"{host.imds_endpoint} is no http:// address")

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
        """One request. NoAnswer when there is none; CannotLook when our own process is what stands in the way."""
        import http.client

        try:
            connected = self._connect()
        except OSError as error:
            raise NoAnswer(reason(error), connected=False) from None
        with connected:
            try:
                return _exchange(self._over(connected), method, path, headers or {})
            except (OSError, http.client.HTTPException) as error:
                raise NoAnswer(reason(error), connected=True) from None

    def put_token(self) -> Answer:
        """The answer to a request for a token (IMDSv2)."""
        return self.ask("PUT", TOKEN_PATH, TOKEN_TTL)

    def token_survives_a_hop(self) -> bool:
        """Whether the answer to a request for a token would reach who is one hop behind us. NoAnswer, CannotLook."""
        header, seconds = next(iter(TOKEN_TTL.items()))
        lines = (f"PUT {TOKEN_PATH} HTTP/1.1", f"Host: {self._name}", f"{header}: {seconds}", "Content-Length: 0")
        try:
            connected = self._connect()
        except OSError as error:
            raise NoAnswer(reason(error), connected=False) from None
        with connected:
            try:
                return _hops.survives(connected, "\r\n".join([*lines, "", ""]).encode(), self._end)
            except OSError as error:
                raise NoAnswer(reason(error), connected=True) from None

    def _connect(self) -> _Socket:
        plain = socket.create_connection((self._name, self._port), timeout=self._left(CONNECT_SECONDS))
        bounded = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        seconds = self._left(ANSWER_SECONDS)
        bounded.settimeout(seconds)
        bounded.end = time.monotonic() + seconds
        return bounded

    def _over(self, connected: _Socket) -> http.client.HTTPConnection:
        import http.client

        connection = http.client.HTTPConnection(self._name, self._port)
        connection.sock = connected
        return connection

    def _left(self, seconds: float) -> float:
        return max(0.001, min(seconds, self._end - time.monotonic()))


def _exchange(connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str]) -> Answer:
    connection.request(method, path, headers=headers)
    with connection.getresponse() as response:
        return Answer(response.status, response.getheader("Date", ""), response.read(BODY_LIMIT))


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timed out"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "connection closed"),  # http.client.RemoteDisconnected is one of these
    (BrokenPipeError, "connection closed"),
    (socket.gaierror, "no such host"),
)


def reason(error: OSError | http.client.HTTPException) -> str:
    """Why there was no answer, in a few words. CannotLook when our own process is the reason."""
    if isinstance(error, OSError) and error.errno in _OURS:
        raise CannotLook(f"this process cannot connect: {error.strerror}") from None
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return "no route"
    if not isinstance(error, OSError):
        return "connection closed" if type(error).__name__ == "IncompleteRead" else "not an HTTP answer"
    return next((text for kind, text in _REASONS if isinstance(error, kind)), "no connection")


def token_in(answer: Answer) -> str:
    """The token an answer gives, "" for none. It must not leave the probes."""
    text = answer.body.decode("latin-1").strip()
    usable = answer.status == 200 and 0 < len(text) <= 4096 and text.isascii() and text.isprintable()
    return text if usable else ""


def reader(host: Host) -> Callable[[str], Answer]:
    """A function that reads paths, with a token where one is given and without (IMDSv1) where none is.

    It, and every call of it, raises CannotLook when nothing answers and when the answer is 401: that one tells
    who may ask, not what was asked.
    """
    talk = Talk(host)
    try:
        token = token_in(talk.put_token())
    except NoAnswer as error:
        if not error.connected:
            raise CannotLook(f"the metadata service does not answer: {error}") from None
        token = ""
    headers = {TOKEN_HEADER: token} if token else {}

    def read(path: str) -> Answer:
        try:
            answer = talk.ask("GET", path, headers)
        except NoAnswer as error:
            raise CannotLook(f"the metadata service does not answer: {error}") from None
        if answer.status == 401:
            raise CannotLook("the metadata service wants a token" + (" other than it gave" if token else ""))
        return answer

    return read


def pick(answer: Answer, *names: str) -> dict[str, str | None]:
    """These members of a JSON object, and nothing else of it; None for what is absent or no text.

    Parsing drops all other members at once, because role documents hold secret keys beside what we ask for.
    """
    try:
        found = json.loads(answer.body, object_pairs_hook=lambda pairs: {k: v for k, v in pairs if k in names})
    except (ValueError, RecursionError):
        found = {}
    known = found if answer.status == 200 and isinstance(found, dict) else {}
    return {name: known[name] if isinstance(known.get(name), str) else None for name in names}


def epoch(text: str | None) -> float | None:
    """Seconds since the epoch of a stamp such as 2026-01-31T12:00:00Z; None when it is no such stamp."""
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
