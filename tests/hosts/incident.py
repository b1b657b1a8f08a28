"""What the incidents of both generations share: breaking a host, reading a report, doing what it prints, the proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from machine import Machine

CONF = "/etc/codedeploy-agent/conf/codedeployagent.yml"
ROOT = "/opt/codedeploy-agent/deployment-root"
PID_FILE = "/opt/codedeploy-agent/state/.pid/codedeploy-agent.pid"
RESTART = "systemctl restart codedeploy-agent"
OK = "#!/bin/sh\necho fine\n"
APPSPEC = """version: 0.0
os: linux
files:
  - source: index.html
    destination: /srv/www
hooks:
  AfterInstall:
    - location: scripts/after.sh
      timeout: 30
"""
WELL = {"appspec.yml": APPSPEC, "index.html": "hello", "scripts/after.sh": OK}
# What a container without a clock and without a network cannot do.
NOT_HERE = ("set-ntp", "timesyncd", "resolvectl", "wget ", "codedeploy-install", "sudoedit")


@dataclass(frozen=True)
class Incident:
    """How a host is broken, what is said of it, and what else but the printed steps mends it."""

    id: str
    breaks: str = ""  # a shell script on the host
    aws: dict[str, Any] = field(default_factory=dict)  # how AWS behaves meanwhile
    deploys: dict[str, str] | None = None  # a revision that fails
    first: dict[str, str] | None = None  # a revision that was deployed well before
    shows: str = ""  # what the agent's log says then
    mends: str = ""  # what the steps for operators and repositories amount to on this host
    again: dict[str, str] | None = None  # the mended revision


def active(report: dict[str, Any]) -> dict[str, str]:
    """Ids and verdicts of what is told."""
    return {finding["id"]: finding["verdict"] for finding in report["findings"] if finding["state"] == "active"}


def dark(report: dict[str, Any]) -> list[str]:
    """What could not be looked at, and why."""
    return [f"{row['id']}: {row['reason']}" for row in report["checks"] if row["outcome"] in ("unknown", "error")]


def break_host(incident: Incident, machine: Machine) -> None:
    """Do what goes wrong, and wait until the agent has said so."""
    if incident.first is not None:
        machine.deploy("d-AAAAAAAAA", incident.first)
    machine.aws(**incident.aws)
    machine.run(incident.breaks)
    if incident.deploys is not None:
        machine.deploy("d-BBBBBBBBB", incident.deploys)
    if incident.shows:
        machine.logged(incident.shows)


def diagnosed(incident: Incident, machine: Machine) -> list[dict[str, Any]]:
    """The steps that a check prints for its only finding, which must be this one, confirmed, and not fixed yet."""
    report = machine.check()
    assert active(report) == {incident.id: "confirmed"}, f"{dark(report)}\n{machine.log()}"
    (finding,) = (finding for finding in report["findings"] if finding["state"] == "active")
    assert report["summary"]["exit_code"] == {"critical": 2, "warning": 1}[finding["severity"]]
    assert machine.run(f"agentdoctor verify {incident.id}", check=False).returncode == 2
    steps: list[dict[str, Any]] = finding["remediation"]
    return steps


def mend(incident: Incident, steps: list[dict[str, Any]], machine: Machine) -> None:
    """Run what is to be done on the host, and what the other steps amount to."""
    machine.aws()
    for step in steps:
        if step["where"] == "instance" and step["command"]:
            _follow(step, machine)
    machine.run(incident.mends)
    if incident.again is not None:
        machine.deploy("d-CCCCCCCCC", incident.again)


def prove(id_: str, machine: Machine, wait: str = "30s") -> None:
    """Verify says fixed within this time."""
    proof = machine.run(f"agentdoctor verify {id_} --wait {wait}", check=False)
    assert proof.returncode == 0, f"{proof.stdout}{proof.stderr}\n{machine.log()}"


def _follow(step: dict[str, Any], machine: Machine) -> None:
    """Run a printed step. One that changes something must go well, one that looks must at least be there."""
    done = machine.run(step["command"], check=False)
    told = f"{step['command']}\n{done.stdout}{done.stderr}"
    if not any(word in step["command"] for word in NOT_HERE):
        assert "command not found" not in done.stderr, told
        assert done.returncode == 0 or step["risk"] == "none", told
