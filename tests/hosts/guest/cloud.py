"""AWS as seen from the host: the metadata service at its real address, and the commands endpoint over TLS.

How they behave stands in /run/cloud.json and may change at any moment: token_status, profile (bool), role_code, skew
(seconds that AWS is ahead), commands (ok, denied, error).
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, "/agentdoctor/tests")

from probes.imds_server import INFO, ROLES, Imds, Server, credentials, info

BEHAVIOUR = Path("/run/cloud.json")
WELL = {"token_status": 200, "profile": True, "role_code": "Success", "skew": 0, "commands": "ok"}
_STAMP = "%Y%m%dT%H%M%SZ"
_ANSWERS = {
    "ok": (200, "", ""),
    "denied": (400, "AccessDeniedException", "User is not authorized to perform this action"),
    "error": (500, "InternalFailure", "The request processing has failed"),
}


def behaviour() -> dict[str, Any]:
    """How to behave now."""
    try:
        return {**WELL, **json.loads(BEHAVIOUR.read_text())}
    except (OSError, ValueError):
        return WELL


def _late(signed: str) -> tuple[int, str, str] | None:
    """The refusal of a request whose stamp is more than five minutes before AWS's time; None if it is not."""
    now = time.time() + behaviour()["skew"]
    limit = time.strftime(_STAMP, time.gmtime(now - 300))
    if not signed or signed >= limit:
        return None
    said = (
        f"Signature expired: {signed} is now earlier than {limit} ({time.strftime(_STAMP, time.gmtime(now))} - 5 min.)"
    )
    return 400, "InvalidSignatureException", said


class Commands(BaseHTTPRequestHandler):
    """The commands endpoint: the role's key polls well, any other is refused."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = behaviour()["commands"]
        authorization = self.headers.get("Authorization", "")
        if "AKIASTRAY" in authorization or not authorization:
            said = "denied"
        status, kind, text = _late(self.headers.get("X-Amz-Date", "")) or _ANSWERS[said]
        self._answer(status, {"__type": kind, "message": text} if kind else {})

    def do_GET(self) -> None:
        self._answer(404, {})

    def _answer(self, status: int, body: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + behaviour()["skew"], usegmt=True))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def follow(imds: Imds) -> None:
    """Make the metadata service behave as is wanted, for ever."""
    was: dict[str, Any] = {}
    since = time.time() - 7200
    while True:
        now = behaviour()
        if now.get("profile") and was.get("profile") is False:
            since = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 21600))
        imds.token_status = now["token_status"]
        imds.v1 = 200 if now["token_status"] == 200 else 401
        imds.date = time.time() + now["skew"] if now["skew"] else None
        role = {"Code": now["role_code"], "LastUpdated": stamp, "Expiration": later}
        attached = {INFO: (200, info(LastUpdated=stamp)), ROLES: (200, "web")}
        attached[ROLES + "web"] = (200, credentials(**role))
        if now["role_code"] != "Success":
            attached[INFO] = (200, info(Code=now["role_code"], LastUpdated=stamp))
            attached[ROLES + "web"] = (200, {"Code": now["role_code"], "LastUpdated": stamp})
        none = {INFO: (404, ""), ROLES: (404, ""), ROLES + "web": (404, "")}
        imds.answers.update(attached if now["profile"] else none)
        was = now
        time.sleep(0.05)


if __name__ == "__main__":
    imds = Imds()
    Server(imds, "169.254.169.254", 80)
    threading.Thread(target=follow, args=(imds,), daemon=True).start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/srv/tls/server.pem", "/srv/tls/server.key")
    server = ThreadingHTTPServer(("127.0.0.2", 443), Commands)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()
