"""A metadata service on a loopback port, as well or as badly behaved as a test wants it."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "canary-token-AQAEAFo"
SECRETS = {"AccessKeyId": "ASIACANARYKEYID", "SecretAccessKey": "canary/secret", "Token": "canary-session-token"}
CANARIES = (TOKEN, *SECRETS.values())

META = "/latest/meta-data/"
INFO = META + "iam/info"
ROLES = META + "iam/security-credentials/"
DOCUMENT = "/latest/dynamic/instance-identity/document"

HANG = -1  # as a status: accept the request and say nothing
DRIP = -2  # as a status: say one byte at a time, without an end
GARBAGE = -3  # as a status: say something that is not HTTP
CLOSE = -4  # as a status: hang up


def info(**changes: Any) -> dict[str, Any]:
    """iam/info of a healthy instance, changed."""
    healthy = {
        "Code": "Success",
        "LastUpdated": "2026-11-22T20:00:00Z",
        "InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/web",
        "InstanceProfileId": "AIPACANARY",
    }
    return {**healthy, **changes}


def credentials(**changes: Any) -> dict[str, Any]:
    """The document of a healthy role, changed."""
    healthy = {
        "Code": "Success",
        "LastUpdated": "2026-11-22T20:00:10Z",
        "Type": "AWS-HMAC",
        **SECRETS,
        "Expiration": "2026-11-23T02:00:00Z",
    }
    return {**healthy, **changes}


def identity() -> dict[str, Any]:
    """An instance identity document."""
    return {
        "region": "eu-west-1",
        "accountId": "123456789012",
        "instanceId": "i-0123456789abcdef0",
        "availabilityZone": "eu-west-1a",
        "architecture": "x86_64",
        "kernelId": None,
    }


@dataclass
class Imds:
    """How the service behaves. ``answers`` holds (status, body) of a path, a dict being sent as JSON."""

    token_status: int = 200
    token: str = TOKEN
    hop_limit: int = 64  # of what answers a request for a token
    v1: int = 200  # status of a request without token; 200: it is answered
    date: float | None = None  # of the Date header; None: now
    no_date: bool = False
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    endpoint: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answers = {
            META: (200, "ami-id"),
            DOCUMENT: (200, identity()),
            INFO: (200, info()),
            ROLES: (200, "web-role"),
            ROLES + "web-role": (200, credentials()),
            **self.answers,
        }

    def without_profile(self) -> Imds:
        """As on an instance that has no instance profile."""
        for path in [path for path in self.answers if path.startswith(META + "iam/")]:
            del self.answers[path]
        return self

    def answer(self, method: str, path: str, token: str | None) -> tuple[int, bytes]:
        self.requests.append(f"{method} {path}")
        if method == "PUT":
            return self.token_status, self.token.encode()
        if token is None and self.v1 != 200:
            return self.v1, b"Unauthorized"
        if token is not None and token != self.token:
            return 401, b"Unauthorized"
        status, body = self.answers.get(path, (404, "<html>404 - Not Found</html>"))
        return status, body if isinstance(body, bytes) else _text(body).encode()


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


class Server(ThreadingHTTPServer):
    """The service at work. ``close`` sets free whatever still hangs."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64  # all probes ask at the same time; what does not fit is lost

    def __init__(self, imds: Imds, address: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((address, port), _Handler)
        self.imds = imds
        imds.endpoint = f"http://{address}:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.imds.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that gave up are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        token = self.headers.get("X-aws-ec2-metadata-token")
        status, body = self.server.imds.answer(self.command, self.path, token)
        if self.command == "PUT":
            self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self.server.imds.hop_limit)
        self.close_connection = True
        if status > 0:
            self._send(status, body)
        elif status == HANG:
            self.server.imds.released.wait(30)
        elif status == DRIP:
            self._drip()
        elif status == GARBAGE:
            self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")

    def _send(self, status: int, body: bytes) -> None:
        imds = self.server.imds
        self.send_response_only(status)
        if not imds.no_date:
            self.send_header("Date", formatdate(time.time() if imds.date is None else imds.date, usegmt=True))
        if status in (301, 302, 307):
            self.send_header("Location", f"{imds.endpoint}{META}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.server.imds.released.wait(0.05):
            self.wfile.write(b"x")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing on stderr."""
