"""Servers on the loopback, as well or as badly behaved as a test wants them; certificates made by openssl."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

HANG = -1  # as a status: take the request and say nothing
DRIP = -2  # as a status: say one byte at a time, without an end
GARBAGE = -3  # as a status: say something that is not HTTP
CLOSE = -4  # as a status: hang up


@dataclass
class Peer:
    """How a server behaves. ``behind``: the port that a proxy connects to, whatever name it was asked for."""

    status: int = 403
    date: float | None = None  # of the Date header; None: none
    headers: tuple[str, ...] = ()  # others of the answer
    certificate: Path | None = None  # to speak TLS with; key and chain in one file
    behind: int = 0
    heads: list[str] = field(default_factory=list)  # what it was asked
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)


class Listener:
    """A peer at work, each connection in a thread. ``close`` sets free whatever still hangs."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._socket = socket.create_server(("127.0.0.1", 0))
        peer.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(_secured(connection, self._peer)) as secured:
            if self._peer.status != CLOSE:
                self._peer.heads.append(_head(secured))
                _say(secured, self._peer)

    def close(self) -> None:
        self._peer.released.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _secured(connection: socket.socket, peer: Peer) -> socket.socket:
    if not peer.certificate:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(peer.certificate)
    return context.wrap_socket(connection, server_side=True)


def _head(connection: socket.socket) -> str:
    """What comes first, up to an empty line; for a client that speaks TLS to us just what comes first."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        head += piece
        if not piece or head.startswith(b"\x16"):
            break
    return head.decode("latin-1")


def _say(connection: socket.socket, peer: Peer) -> None:
    if peer.status == HANG:
        peer.released.wait(30)
    elif peer.status == DRIP:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not peer.released.wait(0.05):
            connection.sendall(b"x")
    elif peer.status == GARBAGE:
        connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    else:
        date = "" if peer.date is None else f"Date: {formatdate(peer.date, usegmt=True)}\r\n"
        others = "".join(f"{header}\r\n" for header in peer.headers)
        head = f"HTTP/1.1 {peer.status} Any Words\r\n{date}{others}Content-Length: 0\r\n\r\n"
        connection.sendall(head.encode())
        if peer.behind and peer.status == 200:
            _join(connection, peer.behind)


def _join(one: socket.socket, port: int) -> None:
    """Carry bytes both ways until one side has enough."""
    with socket.create_connection(("127.0.0.1", port)) as other:
        back = threading.Thread(target=_carry, args=(other, one), daemon=True)
        back.start()
        _carry(one, other)
        back.join(30)


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(4096):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


def now() -> float:
    """The clock of this machine; servers and tests share it."""
    return time.time()


Openssl = Callable[..., str]


@dataclass(frozen=True)
class Authority:
    """Makes certificates in a directory, all with one key of its own."""

    directory: Path

    def openssl(self, *arguments: str) -> str:
        return subprocess.run(
            ["openssl", *arguments], cwd=self.directory, check=True, capture_output=True, text=True
        ).stdout

    def found(self, name: str, subject: str) -> Path:
        """An authority, signed by itself."""
        self.openssl(*"ecparam -name prime256v1 -genkey -noout -out".split(), f"{name}.key")
        self.openssl(
            "req", "-x509", "-utf8", "-key", f"{name}.key", "-subj", subject, "-days", "2", "-out", f"{name}.crt"
        )
        return self.directory / f"{name}.crt"

    def sign(self, name: str, by: str, days: int = 1, names: str = "DNS:localhost,IP:127.0.0.1") -> Path:
        """A server's certificate and key in one file; ``days`` may be negative. ``by`` itself: signed by itself."""
        if by != name:
            self.openssl(*"ecparam -name prime256v1 -genkey -noout -out".split(), f"{name}.key")
        (self.directory / "san.cnf").write_text(f"subjectAltName={names}\n")
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj", "/O=Own/CN=server", "-out", f"{name}.csr")
        signer = (
            ["-signkey", f"{name}.key"]
            if by == name
            else ["-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial"]
        )
        self.openssl(
            *["x509", "-req", "-in", f"{name}.csr", *signer, "-days", str(days)],
            *["-extfile", "san.cnf", "-out", f"{name}.crt"],
        )
        whole = self.directory / f"{name}.pem"
        whole.write_text((self.directory / f"{name}.key").read_text() + (self.directory / f"{name}.crt").read_text())
        return whole
