"""Incidents on a real host: break it, check names the cause as confirmed, do what it prints, verify says fixed.

Run by ``make hosts``, as root. The agent stands in for 1.x, the rest is real: systemd, the network, TLS, file systems.
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
from machine import GROUP, Machine, booted

PERMISSIONS = """permissions:
  - object: /srv/www
    owner: nosuchuser
"""
STOP = """  ApplicationStop:
    - location: scripts/stop.sh
"""

INCIDENTS = {
    "no instance profile": Incident(
        "instance-profile-missing", RESTART, {"profile": False}, shows="Missing credentials"
    ),
    "a role that nobody may assume": Incident(
        "role-unusable", RESTART, {"role_code": "AssumeRoleUnauthorizedAccess"}, shows="Missing credentials"
    ),
    "the token is refused": Incident(
        "imds-token-refused", RESTART, {"token_status": 403}, shows="Unauthorized, code 401"
    ),
    "nobody at the metadata address": Incident(
        "imds-unreachable",
        f"ip addr del 169.254.169.254/32 dev lo; {RESTART}",
        shows="ENETUNREACH",
        mends="ip addr add 169.254.169.254/32 dev lo",
    ),
    "the metadata address swallows packets": Incident(
        "imds-unreachable",
        f"iptables -I OUTPUT -d 169.254.169.254 -j DROP; {RESTART}",
        shows="execution expired",
        mends="iptables -D OUTPUT 1",
    ),
    "keys of a person win over the role": Incident(
        "credentials-shadowed",
        f"mkdir -p /root/.aws; printf '[default]\\naws_access_key_id = AKIAX\\n' > /root/.aws/credentials; {RESTART}",
        shows="AccessDeniedException",
    ),
    "an hour behind AWS": Incident("clock-skew", aws={"skew": 3600}),
    "the agent was stopped": Incident("agent-not-running", "systemctl stop codedeploy-agent"),
    "the agent does not start at boot": Incident("agent-disabled-at-boot", "systemctl mask codedeploy-agent"),
    "an init script without start links": Incident("agent-disabled-at-boot", "systemctl disable codedeploy-agent"),
    "an empty pid file": Incident(
        "agent-pidfile-stale",
        "while pkill -f ^codedeploy-agent:; do sleep 0.1; done;"
        f" systemctl stop codedeploy-agent; : > {PID_FILE}; systemctl start codedeploy-agent;"
        " until systemctl show -p SubState codedeploy-agent | grep -q exited; do sleep 0.1; done",
    ),
    "no agent at all": Incident(
        "agent-not-installed",
        "systemctl stop codedeploy-agent; mv /opt/codedeploy-agent /opt/gone;"
        " mv /etc/init.d/codedeploy-agent /opt/gone/; systemctl daemon-reload",
        mends="mv /opt/gone/codedeploy-agent /etc/init.d/; mv /opt/gone /opt/codedeploy-agent; systemctl daemon-reload;"
        " systemctl start codedeploy-agent",
    ),
    "a configuration that the agent refuses": Incident(
        "agent-config-invalid",
        f"sed -i 's/:max_revisions: 5/:max_revisions: 0/' {CONF}; {RESTART}",
        shows="max_revision=0",
        mends=f"sed -i 's/:max_revisions: 0/:max_revisions: 5/' {CONF}; {RESTART}",
    ),
    "no room": Incident(
        "disk-full",
        f"mkdir -p {ROOT}; mount -t tmpfs -o size=9m tmpfs {ROOT}; head -c 10M /dev/zero > {ROOT}/fill || :",
        mends=f"rm {ROOT}/fill",
    ),
    "no inodes": Incident(
        "inodes-full",
        f"mkdir -p {ROOT}; mount -t tmpfs -o nr_inodes=20 tmpfs {ROOT}; touch {ROOT}/{{1..30}} || :",
        mends=f"rm {ROOT}/*",
    ),
    "appspec.yaml": Incident(
        "appspec-misnamed", deploys={"appspec.yaml": APPSPEC}, shows="did not find an AppSpec", again=WELL
    ),
    "no AppSpec": Incident("appspec-missing", deploys={"index.html": "x"}, shows="did not find an AppSpec", again=WELL),
    "the AppSpec is in a folder": Incident(
        "appspec-not-at-root",
        deploys={"app/appspec.yml": APPSPEC, "README": "x"},
        shows="did not find an AppSpec",
        again=WELL,
    ),
    "a file of somebody else": Incident(
        "file-already-exists",
        "mkdir -p /srv/www; echo x > /srv/www/index.html",
        deploys=WELL,
        shows="already exists at this location",
        again=WELL,
    ),
    "the name of the endpoint is not known": Incident(
        "endpoint-dns-failed",
        "sed -i.was /codedeploy-commands/d /etc/hosts; mv /etc/resolv.conf /etc/resolv.was; : > /etc/resolv.conf",
        shows="getaddrinfo",
        mends="cat /etc/hosts.was > /etc/hosts; mv /etc/resolv.was /etc/resolv.conf",
    ),
    "the endpoint refuses": Incident(
        "endpoint-unreachable",
        f"sed -i 's/^127.0.0.2 codedeploy/127.0.0.9 codedeploy/' /etc/hosts; {RESTART}",
        shows="Connection refused",
        mends="sed -i 's/^127.0.0.9/127.0.0.2/' /etc/hosts",
    ),
    "a certificate that nobody signed": Incident(
        "endpoint-tls-failed",
        "mv /usr/local/share/ca-certificates/test.crt /root/; update-ca-certificates --fresh >/dev/null 2>&1",
        shows="certificate verify failed",
        mends="mv /root/test.crt /usr/local/share/ca-certificates/; update-ca-certificates >/dev/null 2>&1",
    ),
    "a proxy that is not there": Incident(
        "proxy-misconfigured",
        f"sed -i 's|^:proxy_uri:.*|:proxy_uri: http://127.0.0.1:3128|' {CONF}; {RESTART}",
        shows="127.0.0.1:3128",
        mends=f"sed -i 's|^:proxy_uri:.*|:proxy_uri:|' {CONF}; {RESTART}",
    ),
    "the role came late": Incident(
        "instance-profile-attached-late",
        "test -e /run/late || { touch /run/late; echo '{\"profile\": false}' > /run/cloud.json; sleep 1;"
        f" {RESTART}; until grep -q 'Missing credentials' {LOG}; do sleep 0.2; done; }};"
        " sleep 2; echo '{}' > /run/cloud.json; sleep 2",
    ),
    "the log was deleted": Incident("agent-log-deleted", f"rm {LOG}", shows=""),
    "the configuration waits for a restart": Incident(
        "agent-config-restart-pending", f"sleep 3; sed -i 's/verbose: false/verbose: true/' {CONF}"
    ),
    "secrets in a wire log": Incident(
        "agent-wire-log-on",
        f"sed -i 's/log_aws_wire: false/log_aws_wire: true/' {CONF}; {RESTART}",
        mends=f"sed -i 's/log_aws_wire: true/log_aws_wire: false/' {CONF}; {RESTART}",
    ),
    "a script with Windows line endings": Incident(
        "script-line-endings",
        deploys={**WELL, "scripts/after.sh": "#!/bin/sh\r\necho fine\r\n"},
        shows="No such file or directory",
        again=WELL,
    ),
    "a script without its interpreter": Incident(
        "script-interpreter-invalid",
        deploys={**WELL, "scripts/after.sh": "#!/usr/bin/fish\necho fine\n"},
        shows="No such file or directory",
        again=WELL,
    ),
    "a script that is not there": Incident(
        "script-missing",
        deploys={"appspec.yml": APPSPEC, "index.html": "x", "scripts/aftr.sh": OK},
        shows="does not exist",
        again=WELL,
    ),
    "a user that is not there": Incident(
        "script-runas-failed",
        deploys={**WELL, "appspec.yml": APPSPEC + "      runas: nosuchuser\n"},
        shows="nosuchuser",
        mends="useradd nosuchuser",
        again={**WELL, "appspec.yml": APPSPEC + "      runas: nosuchuser\n"},
    ),
    "a command that is not there": Incident(
        "script-command-not-found",
        deploys={**WELL, "scripts/after.sh": "#!/bin/sh\nnpm install\n"},
        shows="exit code 127",
        again=WELL,
    ),
    "a source that is not in the bundle": Incident(
        "source-file-missing",
        deploys={"appspec.yml": APPSPEC, "index.htm": "x", "scripts/after.sh": OK},
        shows="rb_sysopen",
        again=WELL,
    ),
    "an owner that is not there": Incident(
        "owner-missing",
        deploys={**WELL, "appspec.yml": APPSPEC + PERMISSIONS},
        shows="find user for nosuchuser",
        again=WELL,
    ),
    "a version that the agent does not take": Incident(
        "appspec-version-invalid",
        deploys={**WELL, "appspec.yml": APPSPEC.replace("0.0", "0.1")},
        shows="invalid version value",
        again=WELL,
    ),
    "the last revision is gone": Incident(
        "last-revision-missing",
        f"rm -r {ROOT}/{GROUP}/d-AAAAAAAAA",
        first={**WELL, "appspec.yml": APPSPEC + STOP, "scripts/stop.sh": OK},
        deploys=WELL,
        shows="did not find an AppSpec",
        again=WELL,
    ),
}


@pytest.fixture
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A healthy instance, for one test."""
    with booted(f"host-{abs(hash(request.node.name)) % 10**6}") as machine:
        machine.run("systemctl start codedeploy-agent")
        machine.logged(" 200 0.2147 0 retries] poll_host_command")
        yield machine


def test_a_healthy_host(machine: Machine) -> None:
    """Silent, also after a deployment."""
    machine.deploy("d-AAAAAAAAA", WELL)
    report = machine.check()

    assert active(report) == {}
    assert report["summary"]["exit_code"] == 0
    assert report["run"]["complete"]


@pytest.mark.parametrize("incident", INCIDENTS.values(), ids=INCIDENTS)
def test_incident(incident: Incident, machine: Machine) -> None:
    """One finding, confirmed; the printed steps run; then verify says fixed."""
    break_host(incident, machine)
    mend(incident, diagnosed(incident, machine), machine)
    prove(incident.id, machine)


def test_without_root(machine: Machine) -> None:
    """What it could not see is said, and nothing is called healthy on that account."""
    machine.run("chmod 700 /var/log/aws/codedeploy-agent")
    report = machine.check(user="nobody")

    assert report["summary"]["exit_code"] == 3
    assert active(report) == {}
    assert not report["run"]["complete"]
    assert any("Permission denied" in problem for problem in report["self"]["problems"])


def test_without_systemd(machine: Machine) -> None:
    """As in a container whose first process is something else."""
    machine.run("mv /usr/bin/systemctl /usr/bin/systemctl.gone")
    report = machine.check()

    assert report["summary"]["exit_code"] == 3
    assert active(report) == {}
    assert {row["id"] for row in report["checks"] if row["outcome"] == "unknown"} >= {"agent-disabled-at-boot"}


def test_on_a_root_that_is_read_only(machine: Machine) -> None:
    """It writes nothing, so it looks as ever."""
    machine.run(
        "for place in /etc /usr /opt /srv; do mount --bind $place $place; mount -o remount,bind,ro $place; done"
    )
    report = machine.check("--only", "agent-not-running", "--only", "instance-profile-missing")

    assert report["summary"]["exit_code"] == 0
    assert report["run"]["complete"]


def test_without_network(machine: Machine) -> None:
    """What was not asked is no proof: it is skipped, and what the log says is told as unverified."""
    break_host(INCIDENTS["the endpoint refuses"], machine)
    report = machine.check("--no-network")

    assert active(report) == {"endpoint-unreachable": "unverified"}
