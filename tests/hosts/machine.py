"""A host of our own: Debian booted with a real systemd, AWS at its real addresses, an agent that stands in.

What a test changes is gone with the host: the root below it is read only, all writing goes to memory.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
ROOT = TOP / ".hosts/bookworm"
PATIENCE = 60.0  # seconds for whatever takes a moment; only a failure takes so long
AGENT_LOG = "/var/log/aws/codedeploy-agent/codedeploy-agent.log"
GROUP = "11111111-2222-3333-4444-555555555555"
_ENVIRONMENT = "env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOT = "systemd-nspawn --quiet --volatile=overlay --boot --register=no --keep-unit --private-network --console=pipe"


@dataclass(frozen=True)
class Machine:
    """A booted host; ``pid`` is that of its systemd."""

    pid: int

    def run(self, script: str, check: bool = True, user: str = "") -> subprocess.CompletedProcess[str]:
        """Run a shell script inside. AssertionError with what it said when it fails, unless ``check`` is False."""
        shell = ["su", user, "-s", "/bin/bash", "-c", script] if user else ["bash", "-c", script]
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-a", *_ENVIRONMENT.split(), *shell],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{script}\n{done.stdout}{done.stderr}"
        return done

    def aws(self, **behaviour: Any) -> None:
        """Make AWS behave so, see guest/cloud.py; without arguments well."""
        said = shlex.quote(json.dumps(behaviour))
        self.run(f"echo {said} > /run/cloud.next && mv /run/cloud.next /run/cloud.json")
        time.sleep(0.2)  # it looks 20 times a second

    def until(self, script: str) -> None:
        """Wait until a shell script succeeds inside."""
        end = time.monotonic() + PATIENCE
        while self.run(script, check=False).returncode:
            assert time.monotonic() < end, f"never true: {script}\n{self.log()}"
            time.sleep(0.1)

    def logged(self, text: str) -> None:
        """Wait for a text in the agent's log."""
        self.until(f"grep -qF -- {shlex.quote(text)} {AGENT_LOG}")

    def log(self) -> str:
        """The end of the agent's log, and what systemd says."""
        status = "systemctl --no-pager status codedeploy-agent cloud"
        return self.run(f"tail -n 20 {AGENT_LOG}; {status}", check=False).stdout

    def check(self, *arguments: str, user: str = "") -> dict[str, Any]:
        """The report of ``agentdoctor check``."""
        done = self.run(f"agentdoctor check --format json {' '.join(arguments)}", check=False, user=user)
        assert done.stdout.startswith("{"), done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["summary"]["exit_code"] == done.returncode
        return report

    def deploy(self, deployment: str, files: dict[str, str], group: str = GROUP) -> None:
        """Hand the agent a deployment of these files (by name in the revision) and wait for its end."""
        bundle = f"/srv/{deployment}"
        self.run(f"mkdir -p {bundle}")
        for name, text in files.items():
            place = shlex.quote(f"{bundle}/{name}")
            self.run(f"mkdir -p $(dirname {place}) && printf %s {shlex.quote(text)} > {place}")
        order = shlex.quote(json.dumps({"deployment": deployment, "group": group, "bundle": bundle}))
        self.run(f"echo {order} > /run/queue/new && mv /run/queue/new /run/queue/{deployment}.json")
        self.until(f"test -e /run/queue/{deployment}.done")


@contextmanager
def booted(name: str) -> Iterator[Machine]:
    """Boot a host and make it an instance with an agent, which is not started yet."""
    boot = subprocess.Popen(
        [*_BOOT.split(), f"--machine={name}", "-D", str(ROOT), f"--bind-ro={TOP}:/agentdoctor"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        machine = Machine(_systemd_below(boot))
        try:
            machine.until('test "$(systemctl is-system-running)" = running')
            machine.run("/agentdoctor/tests/hosts/guest/setup.sh")
            yield machine
        finally:
            os.kill(machine.pid, signal.SIGKILL)  # all that runs in it goes with its systemd
    finally:
        boot.terminate()
        boot.wait(PATIENCE)


def _program(pid: str) -> str:
    """What a process runs, "" if it is gone."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except FileNotFoundError:
        return ""


def _systemd_below(boot: subprocess.Popen[bytes]) -> int:
    """The pid of the host's systemd, once it is there."""
    end = time.monotonic() + PATIENCE
    children = Path(f"/proc/{boot.pid}/task/{boot.pid}/children")
    while time.monotonic() < end and boot.poll() is None:
        for child in children.read_text().split():
            if _program(child) == "systemd":
                return int(child)
        time.sleep(0.05)
    raise AssertionError("the host did not boot")
