"""How the agent that stands in for 2.x talks to the metadata service and to its endpoint, and what it says of that."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from urllib.parse import urlsplit

from log2 import INSTANCE, Say

IMDS = "169.254.169.254"
ROLES = "/latest/meta-data/iam/security-credentials/"
_UNAVAILABLE = "IMDS credentials unavailable: IMDS credentials unavailable"
_HINT = "Hint: This instance may not have an IAM role associated."


class NotStarted(Exception):
    """The worker cannot work; why stands in the log."""


class Client:
    """The agent's endpoint. ``key`` signs; connections go through ``proxy`` if it is not empty."""

    def __init__(self, url: str, proxy: str, key: str = "") -> None:
        self.url, self.proxy, self.key = url, proxy, key

    def check(self, say: Say) -> None:
        """The first request of a worker: any answer will do."""
        try:
            self._ask("GET").close()
        except OSError:
            said = f"TLS connection to {self.url} failed: error sending request for url ({self.url}/)"
            say("ERROR", f"SSL validation failed for endpoint {self.url}: {said}")
            raise NotStarted from None
        say("INFO", f"TLS verification passed for {self.url}")

    def poll(self) -> str:
        """Ask for a command: "" or the error, of which the network's hides its cause."""
        try:
            answer = self._ask("POST")
            body = json.loads(answer.read() or b"{}")
        except OSError:
            return f"NetworkError: error sending request for url ({self.url}/)"
        if answer.status == 200:
            return ""
        kind, said = body.get("__type", ""), body.get("message", "")
        return f"HttpError: {said or f'HTTP {answer.status} [type={kind}]: {json.dumps(body)}'}"

    def _ask(self, method: str) -> http.client.HTTPResponse:
        parts, through = urlsplit(self.url), urlsplit(self.proxy)
        at = through if self.proxy else parts
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(at.hostname or "", at.port or 443, timeout=10, context=context)
        if self.proxy:
            connection.set_tunnel(parts.hostname or "", 443)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/", "X-Amz-Date": stamp}
        connection.request(method, "/", body="{}" if method == "POST" else None, headers=signed if self.key else {})
        return connection.getresponse()


def region(say: Say) -> str:
    """The region, by the instance's identity document."""
    try:
        status, body = _metadata("/latest/dynamic/instance-identity/document")
    except OSError:
        status, body = 0, ""
    if status != 200:
        say(
            "ERROR", "Failed to resolve region/host identifier: could not determine AWS region from environment or IMDS"
        )
        raise NotStarted
    found = str(json.loads(body)["region"])
    say("INFO", f"Resolved region: {found}")
    say("INFO", f"Resolved host identifier: {INSTANCE}")
    return found


def key(purpose: str, say: Say) -> str:
    """The id of the key that the role of the instance profile gives, asked for once by each of two clients."""
    try:
        status, name = _metadata(ROLES)
        if status == 404:
            say("WARN", f"received 404 from IMDS when loading profile information. {_HINT}")
            raise _unavailable(purpose, "the credential provider was not enabled", say)
        status, body = _metadata(ROLES + name)
    except OSError:
        raise _unavailable(purpose, "the credential provider was not enabled", say) from None
    said = json.loads(body) if status == 200 else {}
    if said.get("Code") == "AssumeRoleUnauthorizedAccess":
        raise _unavailable(purpose, "the credentials provider was not properly configured", say)
    if said.get("Code") != "Success":
        raise _unavailable(purpose, "an error occurred while loading credentials", say)
    say("INFO", "Loaded credentials from IMDS instance profile")
    return str(said["AccessKeyId"])


def _unavailable(purpose: str, why: str, say: Say) -> NotStarted:
    say("ERROR", f"Worker failed to create {purpose} client: {_UNAVAILABLE}: {why}")
    return NotStarted()


def _metadata(path: str) -> tuple[int, str]:
    """Status and text of a page. OSError when nobody answers."""
    connection = http.client.HTTPConnection(IMDS, timeout=2)
    connection.request("PUT", "/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
    answer = connection.getresponse()
    token = answer.read().decode() if answer.status == 200 else ""
    connection.request("GET", path, headers={"X-aws-ec2-metadata-token": token} if token else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
