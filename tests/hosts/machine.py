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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
ROOT = TOP / ".hosts/bookworm"
PATIENCE = 120.0  # seconds for whatever takes a moment, or the next worker of 2.x; only a failure takes so long
AGENT_LOG = "/var/log/aws/codedeploy-agent/codedeploy-agent.log"
GROUP = "11111111-2222-3333-4444-555555555555"
REBOOTS = 133  # how systemd-nspawn ends when its host wants to be booted again
_ENVIRONMENT = "env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SETTLED = ("running", "degraded")
_BOOT = "systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe"


@dataclass
class Machine:
    """A booted host, by the systemd-nspawn that runs it and the command that starts that."""

    command: list[str]
    boot: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """That of its systemd, which is another one after a reboot."""
        return _systemd_below(self.boot)

    def run(self, script: str, check: bool = True, user: str = "") -> subprocess.CompletedProcess[str]:
        """Run a shell script inside. AssertionError with what it said when it fails, unless ``check`` is False."""
        assert _program(str(self.pid)) == "systemd", "the host is gone, and its number may be another process's by now"
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

    def reboot(self) -> None:
        """Shut it down in order and boot it again; what it kept in memory is gone."""
        self.run("systemctl reboot", check=False)  # the shell that asks goes with the rest
        assert self.boot.wait(PATIENCE) == REBOOTS
        self.boot = _start(self.command)
        self.settled()

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

    def settled(self) -> str:
        """What systemd says of itself when it has started what it should: running, degraded."""
        end = time.monotonic() + PATIENCE
        while (state := self.run("systemctl is-system-running", check=False).stdout.strip()) not in _SETTLED:
            assert time.monotonic() < end, f"still {state}"
            time.sleep(0.1)
        return state

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
def booted(name: str, generation: str = "1x") -> Iterator[Machine]:
    """Boot a host and make it an instance with an agent of this generation (1x or 2x), which is not started yet."""
    options = ("--volatile=overlay", "--private-network", f"--bind-ro={TOP}:/agentdoctor")
    with running(name, ROOT, *options) as machine:
        machine.run("/agentdoctor/tests/hosts/guest/setup.sh " + generation)
        yield machine


@contextmanager
def running(name: str, root: Path, *options: str) -> Iterator[Machine]:
    """Boot what is in a directory, and wait until all of it is up. ``options``: more of systemd-nspawn(1)."""
    machine = _boot([*_BOOT.split(), f"--machine={name}", "-D", str(root), *options])
    try:
        yield machine
    finally:
        _end(machine)


def _boot(command: list[str], tries: int = 3) -> Machine:
    """A host whose systemd started all it should. Where hosts are nested it cannot at times, and is booted again."""
    machine = Machine(command, _start(command))
    try:
        state = machine.settled()
    except BaseException:
        _end(machine)
        raise
    if state == "running":
        return machine
    failed = machine.run("systemctl --failed --no-legend", check=False).stdout
    _end(machine)
    assert tries > 1, f"{state}: {failed}"
    return _boot(command, tries - 1)


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)


def _end(machine: Machine) -> None:
    if machine.boot.poll() is None:
        with suppress(ProcessLookupError):
            os.kill(machine.pid, signal.SIGKILL)  # all that runs in it goes with its systemd
    machine.boot.terminate()
    machine.boot.wait(PATIENCE)


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
    boot.terminate()
    raise AssertionError("the host did not boot")
