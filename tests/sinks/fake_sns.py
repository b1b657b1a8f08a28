"""A small SNS over real HTTP that misbehaves as its topics are named: what moto never does.

A topic ``x-NAME`` behaves as NAME says in BEHAVIOURS. ``received`` has every message that was committed, whether the
client learned of it or not; ``delivered`` the same as a FIFO topic would deliver it, each deduplication id once.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

CLOCK = 1_000_000_000.0  # what this server's answers say the time is, where the client's clock is wrong

# status, code and message of an error
ERRORS = {
    "429": (429, "Throttled", "Rate exceeded"),
    "throttling": (400, "Throttling", "Rate exceeded"),
    "kms-throttling": (400, "KMSThrottling", "The request was denied due to request throttling."),
    "500": (500, "InternalError", "We encountered an internal error."),
    "503": (503, "ServiceUnavailable", "Service Unavailable"),
    "expired": (403, "ExpiredToken", "The security token included in the request is expired"),
    "skew": (403, "SignatureDoesNotMatch", "Signature expired: 20240101T000000Z is now earlier than 20240101T010000Z"),
    "denied": (403, "AuthorizationError", "User: arn:aws:sts::1:x is not authorized to perform: SNS:Publish"),
    "gone": (404, "NotFound", "Topic does not exist"),
    "kms-denied": (400, "KMSAccessDenied", "The ciphertext refers to a customer master key that does not exist"),
    "kms-disabled": (400, "KMSDisabled", "The key is disabled"),
    "disabled": (400, "EndpointDisabled", "Endpoint is disabled"),
    "unknown-keys": (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
    "other-region": (400, "InvalidParameter", "Invalid parameter: TopicArn"),
    "poison": (400, "InvalidParameter", "Invalid parameter: Message too long"),
    "secret": (403, "AccessDenied", "no: AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\r\nX: 1"),
}  # fmt: skip


class FakeSns(ThreadingHTTPServer):
    """The server; ``release`` lets go of the requests that it does not answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[dict[str, str]] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def delivered(self, topic: str) -> list[str]:
        """Keys of a topic, in order, each once."""
        keys = [entry["MessageDeduplicationId"] for entry in self.received if entry["TopicArn"].endswith(topic)]
        return list(dict.fromkeys(keys))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeSns

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_POST(self) -> None:
        """Commit and answer, or fail in the way that the topic is named for."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        if form["Action"] != "Publish":
            self._other(form)
            return
        behaviour = form["TopicArn"].rpartition(":")[2].partition("-")[2].removesuffix(".fifo")
        if behaviour == "plain" and "MessageStructure" in form:
            self._refuse(*ERRORS["poison"])
        elif behaviour in ERRORS:
            self._refuse(*ERRORS[behaviour])
        elif behaviour == "hang":
            self.server.release.wait()
        elif behaviour == "reset":
            self._reset()
        else:
            self.server.received.append(form)
            self._commit(behaviour, form)

    def _commit(self, behaviour: str, form: dict[str, str]) -> None:
        key = form.get("MessageDeduplicationId")
        tries = sum(entry.get("MessageDeduplicationId") == key for entry in self.server.received)
        if behaviour == "lost" and tries <= 3:  # committed, and the answer never comes
            self._reset()
        else:
            self._answer(200, _result("Publish", f"<MessageId>m-{len(self.server.received)}</MessageId>"))

    def _other(self, form: dict[str, str]) -> None:
        if form["Action"] == "GetCallerIdentity":
            self._answer(200, _result("GetCallerIdentity", "<Arn>arn:aws:sts::999999999999:assumed-role/web/i-0</Arn>"))
        elif form["TopicArn"].endswith("-unlisted"):
            self._refuse(403, "AuthorizationError", "not authorized to perform: SNS:ListSubscriptionsByTopic")
        else:
            arns = ("PendingConfirmation", f"{form['TopicArn']}:1", "PendingConfirmation", "Deleted")
            members = "".join(f"<member><SubscriptionArn>{arn}</SubscriptionArn></member>" for arn in arns)
            self._answer(200, _result("ListSubscriptionsByTopic", f"<Subscriptions>{members}</Subscriptions>"))

    def _refuse(self, status: int, code: str, text: str) -> None:
        self._answer(
            status, f"<ErrorResponse><Error><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
        )

    def _answer(self, status: int, text: str) -> None:
        self.send_response_only(status)
        self.send_header("Date", formatdate(CLOCK, usegmt=True))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _reset(self) -> None:
        """Close with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        """A connection that was reset has nothing to flush."""
        with suppress(OSError):
            super().finish()


def _result(action: str, inner: str) -> str:
    return f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"


@contextmanager
def fake_sns() -> Iterator[FakeSns]:
    """The server, as long as it is needed."""
    with FakeSns() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.release.set()
            server.shutdown()
            thread.join()


@contextmanager
def black_hole() -> Iterator[str]:
    """An address that takes no connection and refuses none: its queue is full, and nobody empties it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        try:
            for _ in range(2):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(listener.getsockname())
                waiting.append(client)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for client in waiting:
                client.close()
