"""An agent that stands in for 1.x: its processes, its log, its files. What it logs is what really happens to it.

agent.py master     started by /etc/init.d/codedeploy-agent under the title that the real one gives itself
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import deploy
import yaml

HOME = Path("/opt/codedeploy-agent")
CONFIGURATION = Path("/etc/codedeploy-agent/conf/codedeployagent.yml")
PID_FILE = HOME / "state/.pid/codedeploy-agent.pid"
LOG = Path("/var/log/aws/codedeploy-agent/codedeploy-agent.log")
HOST = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"
POLLER = "InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller"
TRACE = "/opt/codedeploy-agent/vendor/gems/aws-sdk-core-3.168.1/lib/signature_v4.rb:70:in `sign_request'"
EXECUTOR = "InstanceAgent::Plugins::CodeDeployPlugin::CommandExecutor"
METADATA = "Failed to open TCP connection to 169.254.169.254:80"
QUEUE = Path("/run/queue")
_open_log = [open(LOG, "a", encoding="utf-8")]  # noqa: SIM115 - for the life of the process, as the real one does


def say(level: str, text: str) -> None:
    """One entry of the agent log. One that fails switches the log off for good, as in the real agent."""
    entry = f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {level:<5} [codedeploy-agent({os.getpid()})]: {text}\n"
    for log in list(_open_log):
        try:
            log.write(entry)
            log.flush()
        except OSError:
            _open_log.clear()


def settings() -> dict[str, Any]:
    found = yaml.safe_load(CONFIGURATION.read_text()) or {}
    return {str(key).lstrip(":"): value for key, value in found.items()}


def master() -> None:
    """Keep one worker alive."""
    pid = os.getpid()
    PID_FILE.write_text(f"{pid}\n")
    signal.signal(signal.SIGTERM, lambda *_: _stop(workers))
    workers: list[subprocess.Popen[bytes]] = []
    say("INFO", f"master {pid}: Spawned child 1/1")
    while True:
        title = f"codedeploy-agent: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller of master {pid}"
        command = f'exec -a "{title}" python3 {Path(__file__).resolve()} worker'
        workers[:] = [subprocess.Popen(["bash", "-c", command])]
        say("INFO", f"Started master {pid} with 1 children")
        workers[0].wait()
        say("INFO", f"master {pid}: Received CHLD - cleaning dead child process")
        time.sleep(1)


def _stop(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    PID_FILE.unlink(missing_ok=True)
    sys.exit(0)


def worker() -> None:
    """Check the configuration, look for credentials once, then poll."""
    known = settings()
    revisions = known.get("max_revisions", 5)
    if not isinstance(revisions, int) or revisions < 1:
        say("ERROR", f"{EXECUTOR}: Invalid configuration :max_revision={revisions}")
        os.kill(os.getppid(), signal.SIGTERM)
        return
    say("INFO", "On Premises config file does not exist or not readable")
    while (document := _metadata("/latest/dynamic/instance-identity/document")) is None:
        time.sleep(1)
    region = json.loads(document)["region"]
    key = _key()
    url = known.get("deploy_control_endpoint") or f"https://codedeploy-commands.{region}.amazonaws.com"
    say("INFO", "Creating client url from IMDS region and domain")
    say("INFO", f"CodeDeploy endpoint: {url}")
    say("INFO", f"{EXECUTOR}: Archives to retain is: {revisions}}}")
    deploy.fail_leftovers(say)
    while True:
        poll(url, key, known.get("proxy_uri") or "")
        time.sleep(1)


def poll(url: str, key: str, proxy: str) -> None:
    """One poll and what it brings; every end of it is logged in the words of 1.8.1."""
    say("INFO", "Version file found in /opt/codedeploy-agent/.version with agent version OFFICIAL_1.8.1-99_deb.")
    if not key:
        error = "Aws::Errors::MissingCredentialsError - unable to sign request without credentials set"
        say("ERROR", f"{POLLER}: Error polling for host commands: {error} - {TRACE}")
        say(
            "ERROR",
            f"{POLLER}: Missing credentials - please check if this instance was started with an IAM instance profile",
        )
        return
    try:
        status, kind, text = _call(url, key, proxy)
    except OSError as error:
        what = _network_words(error, urlsplit(proxy).netloc if proxy else f"{urlsplit(url).hostname}:443")
        _sdk(0, "Seahorse::Client::NetworkingError", what)
        say("ERROR", f"{POLLER}: Error polling for host commands: Seahorse::Client::NetworkingError - {what} - {TRACE}")
        say("ERROR", f"{POLLER}: Network error: #<Seahorse::Client::NetworkingError: {what}>")
        return
    _sdk(status, kind, text)
    if status != 200:
        say("ERROR", f"{POLLER}: Error polling for host commands: {kind} - {text} - {TRACE}")
        say("ERROR", f"{POLLER}: Cannot reach InstanceService: {kind} - {text}")
        return
    for order in sorted(QUEUE.glob("*.json")):
        deploy.run(json.loads(order.read_text()), say)
        order.rename(order.with_suffix(".done"))


def _sdk(status: int, kind: str, text: str) -> None:
    call = f'poll_host_command(host_identifier:"{HOST}")'
    say("INFO", f"[Aws::CodeDeployCommand::Client {status} 0.2147 0 retries] {call} {kind} {text}\n")


def _call(url: str, key: str, proxy: str) -> tuple[int, str, str]:
    """A poll over TLS: status, error class and message."""
    parts, through = urlsplit(url), urlsplit(proxy)
    connection = http.client.HTTPSConnection(
        (through.hostname if proxy else parts.hostname) or "",
        (through.port if proxy else parts.port) or 443,
        timeout=3,
        context=ssl.create_default_context(),
    )
    if proxy:
        connection.set_tunnel(parts.hostname or "", 443)
    connection.request("POST", "/", body="{}", headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/"})
    answer = connection.getresponse()
    body = json.loads(answer.read() or b"{}")
    kind = body.get("__type", "")
    return answer.status, f"Aws::CodeDeployCommand::Errors::{kind}" if kind else "", body.get("message", "")


def _network_words(error: OSError, place: str) -> str:
    """What Ruby says of it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"certificate verify failed ({error.verify_message})"
        return f"SSL_connect returned=1 errno=0 peeraddr=127.0.0.2:443 state=error: {reason}"
    if isinstance(error, socket.gaierror):
        return f"Failed to open TCP connection to {place} (getaddrinfo: Name or service not known)"
    if isinstance(error, ConnectionRefusedError):
        return f'Failed to open TCP connection to {place} (Connection refused - connect(2) for "{place}")'
    return f"Failed to open TCP connection to {place} (execution expired)"


def _metadata(path: str) -> str | None:
    """A page of the metadata service; None, and the agent's words in the log, when there is none."""
    connection = http.client.HTTPConnection("169.254.169.254", timeout=2)
    try:
        connection.request("PUT", "/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
        answer = connection.getresponse()
        token = answer.read().decode() if answer.status == 200 else ""
        connection.request("GET", path, headers={"X-aws-ec2-metadata-token": token} if token else {})
        answer = connection.getresponse()
        body = answer.read().decode()
        if answer.status == 401:
            raise RuntimeError("HTTP error from metadata service: Unauthorized, code 401")
        return body if answer.status == 200 else ""
    except (OSError, RuntimeError) as error:
        say(
            "ERROR", f"booting child: error during start or run: {_metadata_words(error)} - /usr/lib/http.rb:987:in `x'"
        )
        return None


def _metadata_words(error: Exception) -> str:
    """What Ruby says of it."""
    if isinstance(error, ConnectionRefusedError):
        return f"Errno::ECONNREFUSED - {METADATA} (Connection refused - connect(2) for 169.254.169.254:80)"
    if isinstance(error, OSError) and error.errno:
        return f"Errno::ENETUNREACH - {METADATA} (Network is unreachable - connect(2) for 169.254.169.254:80)"
    if isinstance(error, OSError):
        return f"Net::OpenTimeout - {METADATA} (execution expired)"
    return f"InstanceMetadata::HTTPUnauthorizedError - {error}"


def _key() -> str:
    """Whose key signs: the user's own files win over the role."""
    shared = Path("/root/.aws/credentials")
    if shared.exists() and "aws_access_key_id" in shared.read_text():
        return "AKIASTRAY"
    role = _metadata("/latest/meta-data/iam/security-credentials/")
    document = _metadata(f"/latest/meta-data/iam/security-credentials/{role}") if role else ""
    return str(json.loads(document).get("AccessKeyId", "")) if document else ""


if __name__ == "__main__":
    {"master": master, "worker": worker}[sys.argv[1]]()
