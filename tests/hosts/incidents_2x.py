"""Incidents on a real host with agent 2.x, as those in incidents.py are with 1.x.

What differs: nearly all heals without a restart, which the printed steps must know; a worker that cannot start is tried
again 5, 10, 20 s and more later; good polls are not logged. The host's zone is far from UTC, in which the agent logs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from incident import (
    APPSPEC,
    CONF,
    OK,
    PID_FILE,
    RESTART,
    ROOT,
    WELL,
    Incident,
    active,
    break_host,
    diagnosed,
    mend,
    prove,
)
from machine import AGENT_LOG as LOG
from machine import Machine, booted

POLLS = "Starting host command poll loop"
DROP_IN = "/run/systemd/system/codedeploy-agent.service.d"
REFUSED = "sed -i 's/^127.0.0.2 codedeploy/127.0.0.9 codedeploy/' /etc/hosts"
REACHED = "sed -i 's/^127.0.0.9/127.0.0.2/' /etc/hosts"

# Nobody restarts the agent: its master is the same one before and after.
HEALS = {
    "no instance profile": Incident(
        "instance-profile-missing", RESTART, {"profile": False}, shows="the credential provider was not enabled"
    ),
    "a role that nobody may assume": Incident(
        "role-unusable", RESTART, {"role_code": "AssumeRoleUnauthorizedAccess"}, shows="was not properly configured"
    ),
    "the token is refused": Incident(
        "imds-token-refused", RESTART, {"token_status": 403}, shows="could not determine AWS region"
    ),
    "nobody at the metadata address": Incident(
        "imds-unreachable",
        f"ip addr del 169.254.169.254/32 dev lo; {RESTART}",
        shows="could not determine AWS region",
        mends="ip addr add 169.254.169.254/32 dev lo",
    ),
    "the metadata address swallows packets": Incident(
        "imds-unreachable",
        f"iptables -I OUTPUT -d 169.254.169.254 -j DROP; {RESTART}",
        shows="could not determine AWS region",
        mends="iptables -D OUTPUT 1",
    ),
    "the endpoint refuses at the start": Incident(
        "endpoint-check-failed", f"{REFUSED}; {RESTART}", shows="SSL validation failed for endpoint", mends=REACHED
    ),
    "no room": Incident(
        "disk-full",
        f"mkdir -p {ROOT}; mount -t tmpfs -o size=9m tmpfs {ROOT}; head -c 10M /dev/zero > {ROOT}/fill || :",
        deploys=WELL,
        shows="No space left on device (os error 28)",
        mends=f"rm {ROOT}/fill",
        again=WELL,
    ),
    "appspec.yaml": Incident(
        "appspec-misnamed", deploys={"appspec.yaml": APPSPEC}, shows="does not exist at the expected", again=WELL
    ),
    "no AppSpec": Incident(
        "appspec-missing", deploys={"index.html": "x"}, shows="does not exist at the expected location", again=WELL
    ),
    "a version that the agent does not take": Incident(
        "appspec-version-invalid",
        deploys={**WELL, "appspec.yml": APPSPEC.replace("0.0", "0.1")},
        shows="invalid version value",
        again=WELL,
    ),
    "a file of somebody else": Incident(
        "file-already-exists",
        "mkdir -p /srv/www; echo x > /srv/www/index.html",
        deploys=WELL,
        shows="already exists at this location",
        again=WELL,
    ),
    "a script with Windows line endings": Incident(
        "script-line-endings",
        deploys={**WELL, "scripts/after.sh": "#!/bin/sh\r\necho fine\r\n"},
        shows="No such file or directory (os error 2)",
        again=WELL,
    ),
    "a script that is not there": Incident(
        "script-missing",
        deploys={"appspec.yml": APPSPEC, "index.html": "x", "scripts/aftr.sh": OK},
        shows="does not exist",
        again=WELL,
    ),
    "a command that is not there": Incident(
        "script-command-not-found",
        deploys={**WELL, "scripts/after.sh": "#!/bin/sh\nnpm install\n"},
        shows="exit code 127",
        again=WELL,
    ),
}
# Good polls are not logged, so that an error of polling is over shows in what the same worker no longer says.
POLLING = {
    "an hour behind AWS": Incident("clock-skew", aws={"skew": 3600}, shows="Signature expired"),
    "the endpoint refuses": Incident("endpoint-unreachable", REFUSED, shows="NetworkError", mends=REACHED),
}
# What ends the master or stops its unit, or stands in what it reads at its start alone.
STARTS_AGAIN = {
    "the agent was stopped": Incident("agent-not-running", "systemctl stop codedeploy-agent"),
    "the agent does not start at boot": Incident("agent-disabled-at-boot", "systemctl disable codedeploy-agent"),
    "the agent is masked": Incident("agent-disabled-at-boot", "systemctl mask codedeploy-agent"),
    "an empty pid file": Incident(
        "agent-not-running",
        f"systemctl stop codedeploy-agent; : > {PID_FILE}; systemctl start codedeploy-agent;"
        " until systemctl is-failed codedeploy-agent; do sleep 0.1; done",
    ),
    "a configuration that the agent refuses": Incident(
        "agent-config-invalid",
        f"sed -i 's/:wait_between_runs: 1/:wait_between_runs: fast/' {CONF}; {RESTART};"
        " until systemctl is-failed codedeploy-agent; do sleep 0.1; done",
        mends=f"sed -i 's/:wait_between_runs: fast/:wait_between_runs: 1/' {CONF}; {RESTART}",
    ),
    "a worker that dies under an active unit": Incident(
        "agent-crash-loop",
        f"mkdir -p {DROP_IN}; printf '[Service]\\nLimitAS=200M\\n' > {DROP_IN}/limit.conf; systemctl daemon-reload;"
        f" before=$(grep -c 'Worker [0-9]* starting' {LOG}); {RESTART};"
        f" until [ $(grep -c 'Worker [0-9]* starting' {LOG}) -ge $((before + 3)) ]; do sleep 0.2; done",
        mends=f"rm -r {DROP_IN}; systemctl daemon-reload; {RESTART}",
    ),
    "the log was deleted": Incident("agent-log-deleted", f"rm {LOG}"),
}


@pytest.fixture
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A healthy instance in a zone nine hours from UTC, for one test."""
    with booted(f"host-{abs(hash(request.node.name)) % 10**6}", "2x") as machine:
        machine.run("ln -sf /usr/share/zoneinfo/Asia/Seoul /etc/localtime; systemctl start codedeploy-agent")
        machine.logged(POLLS)
        yield machine


def master(machine: Machine) -> str:
    """The pid of the agent's master."""
    return machine.run("systemctl show -p MainPID --value codedeploy-agent").stdout.strip()


def polls(machine: Machine) -> None:
    """Wait until the youngest worker polls."""
    youngest = f"$(grep -o 'Worker [0-9]* starting' {LOG} | tail -n 1 | cut -d ' ' -f 2)"
    machine.until(f'grep -q "Worker {youngest} entering polling loop" {LOG}')


def test_the_stand_in_is_what_a_probe_sees_of_2x(machine: Machine) -> None:
    """Its unit, its processes and its version are those of the real one, and its log is in UTC without a program."""
    agent = machine.check()["host"]["agent"]
    shown = machine.run("systemctl show -p FragmentPath,SubState,Restart,SourcePath codedeploy-agent").stdout
    lines = machine.run("ps -o args= -C codedeploy-agent").stdout.splitlines()
    first = machine.run(f"head -n 1 {LOG}").stdout

    assert agent == {"kind": "2.x", "version": "2.1.0"}
    assert "FragmentPath=/lib/systemd/system/codedeploy-agent.service\n" in shown
    assert {"SubState=running", "Restart=on-abnormal", "SourcePath="} <= set(shown.splitlines())
    assert lines == [f"/opt/codedeploy-agent/bin/codedeploy-agent {word}" for word in ("start", "worker")]
    assert first.startswith(machine.run("date -u '+%Y-%m-%d %H:'").stdout.strip())
    assert " INFO Worker " in first


def test_a_healthy_host(machine: Machine) -> None:
    """Silent, also after a deployment; nothing is logged for good polls."""
    machine.deploy("d-AAAAAAAAA", WELL)
    report = machine.check()

    assert active(report) == {}
    assert report["summary"]["exit_code"] == 0
    assert report["run"]["complete"]
    assert report["unexplained"] == []


@pytest.mark.parametrize("incident", HEALS.values(), ids=HEALS)
def test_it_heals_without_a_restart(incident: Incident, machine: Machine) -> None:
    """One finding, confirmed; no printed step restarts the agent; it works again under the same master."""
    break_host(incident, machine)
    before = master(machine)
    steps = diagnosed(incident, machine)
    assert not [step["command"] for step in steps if "restart codedeploy-agent" in (step["command"] or "")]

    mend(incident, steps, machine)
    polls(machine)
    prove(incident.id, machine)
    assert master(machine) == before
    assert active(machine.check()) == {}


@pytest.mark.parametrize("incident", POLLING.values(), ids=POLLING)
def test_an_error_of_polling_is_over(incident: Incident, machine: Machine) -> None:
    """Nothing says so in the log; the same worker, which would have told a further error, is the proof."""
    break_host(incident, machine)
    before = master(machine)
    steps = diagnosed(incident, machine)
    assert not [step["command"] for step in steps if "restart codedeploy-agent" in (step["command"] or "")]

    mend(incident, steps, machine)
    prove(incident.id, machine, "5m")
    assert master(machine) == before
    assert active(machine.check()) == {}


@pytest.mark.parametrize("incident", STARTS_AGAIN.values(), ids=STARTS_AGAIN)
def test_incident(incident: Incident, machine: Machine) -> None:
    """One finding, confirmed; the printed steps run; then verify says fixed."""
    break_host(incident, machine)
    mend(incident, diagnosed(incident, machine), machine)
    polls(machine)
    prove(incident.id, machine)
