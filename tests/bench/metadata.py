"""A metadata service on loopback that answers at once, as that of a healthy instance does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_INSTANCE = {
    "region": "us-east-1",
    "accountId": "123456789012",
    "instanceId": "i-0123456789abcdef0",
    "availabilityZone": "us-east-1a",
    "architecture": "x86_64",
}
_ROLE = {"Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Expiration": "2036-01-01T00:00:00Z"}
_PROFILE = {"Code": "Success", "InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/web"}
ANSWERS = {
    "/latest/api/token": "token",
    "/latest/dynamic/instance-identity/document": json.dumps(_INSTANCE),
    "/latest/meta-data/iam/info": json.dumps({**_PROFILE, "LastUpdated": "2026-01-01T00:00:00Z"}),
    "/latest/meta-data/iam/security-credentials": "web",
    "/latest/meta-data/iam/security-credentials/web": json.dumps(_ROLE),
}


class _Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = ANSWERS.get(self.path.rstrip("/"), "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET  # noqa: N815 - named so by the base class

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by the base class
        """Say nothing: stderr belongs to the progress."""


@contextmanager
def service() -> Iterator[str]:
    """Serve while the block runs; gives the endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
