"""The service under a real systemd: becomes ready, sees, tells, is started again when it hangs or dies, and ends.

Run by ``make hosts``, as root, with the unit as it is shipped. Each test leaves the service running.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from machine import Machine, booted

UNITS = "/etc/systemd/system"
RULE = "instance-profile-missing"
ADDED = f"{UNITS}/agentdoctor.service.d/test.conf"


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    """A host with an agent that works and the service that watches it."""
    with booted("service") as machine:
        machine.run(
            f"""
            useradd --system --home-dir /var/lib/agentdoctor --shell /usr/sbin/nologin agentdoctor
            cp /agentdoctor/systemd/* {UNITS}
            echo /agentdoctor > /usr/lib/python3/dist-packages/agentdoctor.pth
            ln -s /usr/local/bin/agentdoctor /usr/bin/agentdoctor
            mkdir -p {ADDED.rpartition("/")[0]} && printf '[Service]\\nWatchdogSec=4\\nRestartSec=1\\n' > {ADDED}
            systemctl daemon-reload
            systemctl start codedeploy-agent
            """
        )
        machine.logged("Creating client url from IMDS region and domain")
        machine.run("systemctl start agentdoctor")
        yield machine


def shown(host: Machine, name: str) -> str:
    return host.run(f"systemctl show agentdoctor -p {name} --value").stdout.strip()


def entries(host: Machine, rule: str) -> list[dict[str, Any]]:
    """What the journal has of a rule, as the service told it."""
    found = host.run(f"journalctl -o json --no-pager AGENTDOCTOR_RULE={rule}", check=False).stdout
    return [json.loads(line) for line in found.splitlines()]


def test_it_is_ready_when_systemd_says_so(host: Machine) -> None:
    assert shown(host, "ActiveState") == "active"
    assert "logs followed" in shown(host, "StatusText")
    status = json.loads(host.run("agentdoctor status --format json", check=False).stdout)
    assert status["service"]["state"] == "running"
    assert any(log["path"].endswith("/codedeploy-agent.log") for log in status["logs"])


def test_it_runs_with_little(host: Machine) -> None:
    """Its own user, and one right beyond it: to read."""
    pid = shown(host, "MainPID")
    status = dict(line.split(":", 1) for line in host.run(f"cat /proc/{pid}/status").stdout.splitlines())
    assert status["Uid"].split()[0] == host.run("id -u agentdoctor").stdout.strip()
    assert int(status["CapEff"], 16) == 1 << 2  # CAP_DAC_READ_SEARCH


def writable(host: Machine, pid: str) -> list[str]:
    """Where its user finds a directory that takes a file, seen from inside a process of ours."""
    find = r"find / \( -path /proc -o -path /sys \) -prune -o -type d -writable -print"
    inside = f"nsenter -t {pid} -m setpriv --reuid agentdoctor --regid agentdoctor --clear-groups"
    found = host.run(f"{inside} {find}", check=False)
    assert "Permission denied" in found.stderr, "it looked, and not as root"
    return found.stdout.splitlines()


def test_it_may_write_its_own_and_memory_alone(host: Machine) -> None:
    """And has no network; /run/user is an empty one of its own."""
    pid = shown(host, "MainPID")
    own = ("/var/lib/agentdoctor", "/run/agentdoctor")
    devices = host.run(f"nsenter -t {pid} -n ip -o link").stdout.splitlines()

    assert [path for path in writable(host, pid) if not path.startswith(own)] == ["/dev/shm", "/run/user"]
    assert [line.split()[1] for line in devices] == ["lo:"]


def test_who_looks_is_a_unit_that_writes_nothing(host: Machine) -> None:
    """A service that starts looks at the host; it sees the network of the host, and ends by itself."""
    running = "systemctl list-units --no-legend --plain --state=running 'agentdoctor-probe@*'"
    host.run("systemctl restart agentdoctor")
    host.until(f"test $({running} | wc -l) = 1")
    unit = host.run(running).stdout.split()[0]
    pid = host.run(f"systemctl show -p MainPID --value {unit}").stdout.strip()

    assert writable(host, pid) == ["/run/user"]
    assert host.run(f"readlink /proc/{pid}/ns/net").stdout == host.run("readlink /proc/1/ns/net").stdout
    host.run("systemctl restart agentdoctor")
    host.until(f"test ! -e /proc/{pid}")


def test_a_failure_and_its_end_are_told(host: Machine) -> None:
    host.aws(profile=False)
    host.run("systemctl restart codedeploy-agent")
    host.until(f"journalctl -q AGENTDOCTOR_RULE={RULE} AGENTDOCTOR_EVENT=opened | grep -q .")
    (opened,) = entries(host, RULE)
    assert opened["AGENTDOCTOR_VERDICT"] == "confirmed"
    assert opened["AGENTDOCTOR_INSTANCE_ID"] == "i-0123456789abcdef0"
    assert opened["PRIORITY"] == "2"

    host.aws()
    host.run("systemctl restart codedeploy-agent")
    host.until(f"journalctl -q AGENTDOCTOR_RULE={RULE} AGENTDOCTOR_EVENT=recovered | grep -q .")
    assert [entry["AGENTDOCTOR_EVENT"] for entry in entries(host, RULE)] == ["opened", "recovered"]


@pytest.mark.parametrize("signal", ["STOP", "KILL"], ids=["a loop that hangs", "kill -9"])
def test_r21_it_is_started_again(host: Machine, signal: str) -> None:
    before, told = shown(host, "MainPID"), entries(host, RULE)
    host.run(f"kill -{signal} {before}")
    host.until(
        f"systemctl show agentdoctor -p MainPID --value | grep -vqE '^({before}|0)$' "
        '&& test "$(systemctl show agentdoctor -p ActiveState --value)" = active'
    )
    assert entries(host, RULE) == told, "nothing is told again"


def test_a_reload_is_the_same_process(host: Machine) -> None:
    before = shown(host, "MainPID")
    host.run("mkdir -p /etc/agentdoctor/rules.d && echo 'title: nothing' > /etc/agentdoctor/rules.d/mine.yaml")
    host.run("systemctl reload agentdoctor")
    host.until("agentdoctor status --format json | grep -q site-rule-invalid")
    assert shown(host, "MainPID") == before
    host.run("rm /etc/agentdoctor/rules.d/mine.yaml && systemctl reload agentdoctor")


def test_it_ends_at_once(host: Machine) -> None:
    began = time.monotonic()
    host.run("systemctl stop agentdoctor")
    assert shown(host, "Result") == "success"
    took = time.monotonic() - began
    assert took < 8.0, f"a stop that had to be forced takes ten seconds; this took {took:.1f}"
    status = host.run("agentdoctor status", check=False)
    host.run("systemctl start agentdoctor")
    assert "NOT RUNNING" in status.stdout
