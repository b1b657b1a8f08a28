"""check on a live host: its own metadata service at the real address, an agent that stands in, no log but ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import CORPUS, TOP

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"),
    reason="needs root, unshare and ip to make a network of its own",
)

LOG = "var/log/aws/codedeploy-agent/codedeploy-agent.log"
NO_CREDENTIALS = str(CORPUS / "missing_creds" / LOG)
TOKEN_REFUSED = str(CORPUS / "imds_403all" / LOG)
GOOD_POLLS = str(CORPUS / "orphan_child_restart" / LOG)


def check(*arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of check in a namespace of its own."""
    done = subprocess.run(
        [
            *"unshare --net --mount --pid --fork --mount-proc --kill-child".split(),
            sys.executable,
            str(TOP / "tests/in_namespace.py"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(TOP), "TZ": "UTC", "HOME": "/nonexistent", **environment},
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


# what the host is like -> the one finding that is told, its verdict
INCIDENTS = {
    "no profile, nothing in the log": (("no-profile", "running"), "instance-profile-missing"),
    "no profile, and the log says so": (("no-profile", "running", NO_CREDENTIALS), "instance-profile-missing"),
    "a role that came late": (("well", "running", NO_CREDENTIALS), ""),
    "the token is refused": (("token-403", "running", TOKEN_REFUSED), "imds-token-refused"),
    "an hour behind": (("late-clock", "running", GOOD_POLLS), "clock-skew"),
    "nobody at the address": (("refuse", "running", GOOD_POLLS), "imds-unreachable"),
    "the address swallows packets": (("swallow", "running", GOOD_POLLS), "imds-unreachable"),
    "the agent is stopped": (("well", "stopped", GOOD_POLLS), "agent-not-running"),
    "active and nothing runs": (("well", "stale-pid", GOOD_POLLS), "agent-pidfile-stale"),
    "no agent": (("well", "absent"), "agent-not-installed"),
    "no agent and no metadata service": (("swallow", "absent"), "agent-not-installed"),
}


@pytest.mark.parametrize(("host", "expected"), INCIDENTS.values(), ids=INCIDENTS)
def test_one_root_cause(host: tuple[str, ...], expected: str) -> None:
    """One finding, confirmed by the host; what follows from it is kept as masked."""
    code, report = check(*host)
    active = {x["id"]: x["verdict"] for x in report["findings"] if x["state"] == "active"}

    assert active == ({expected: "confirmed"} if expected else {})
    assert code == (2 if expected else 3)  # 3: it was logged, and no known cause is there now
    assert report["run"]["duration_ms"] < 5000


SENT = ("no profile, and the log says so", "the token is refused", "an hour behind", "active and nothing runs")


@pytest.mark.parametrize("name", SENT)
def test_the_same_elsewhere(name: str, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """A snapshot of such a host, checked where nothing of it is, and in another time zone."""
    for attempt in range(3):  # two looks at one host: on a busy machine a probe may be late in one of them
        path = str(tmp_path / f"host{attempt}.tar.gz")
        code, here = check(*INCIDENTS[name][0], SNAPSHOT=path)
        done = cli("check", "--snapshot", path, "--format", "json", env={"TZ": "America/New_York"})
        there = json.loads(done.stdout)
        if shown(there) == shown(here):
            break

    assert here["findings"]
    assert shown(there) == shown(here)
    assert done.returncode == code


def shown(report: dict[str, Any]) -> tuple[Any, ...]:
    """What must not depend on where a report is made."""
    findings = [[x[part] for part in ("id", "state", "verdict", "subject")] for x in report["findings"]]
    return findings, {x["id"]: x["outcome"] for x in report["checks"]}, report["host"]


POLL_FAILED = """\
2026-11-22T21:02:44 ERROR [codedeploy-agent(21)]: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller: Network \
error: #<Seahorse::Client::NetworkingError: Failed to open TCP connection to \
codedeploy-commands.eu-west-1.amazonaws.com:443 (getaddrinfo: Temporary failure in name resolution)>
"""


def test_no_way_out(tmp_path: Path) -> None:
    """A network that ends at this host: the name of the agent's endpoint is looked up as the agent does."""
    (tmp_path / "agent.log").write_text(POLL_FAILED)
    code, report = check("well", "running", str(tmp_path / "agent.log"))
    (finding,) = (x for x in report["findings"] if x["state"] == "active")

    assert (code, finding["id"], finding["verdict"]) == (2, "endpoint-dns-failed", "confirmed")
    assert "codedeploy-commands.eu-west-1.amazonaws.com:443 does not resolve" in str(finding["evidence"])
    assert report["run"]["duration_ms"] < 5000


def test_a_healthy_host() -> None:
    """Nothing found, everything looked at, and who it is."""
    code, report = check("well", "running", GOOD_POLLS)

    assert (code, report["run"]["complete"]) == (0, True)
    assert {finding["state"] for finding in report["findings"]} <= {"recovered"}
    assert report["host"]["instance_id"] == "i-0123456789abcdef0"
    assert report["host"]["region"] == "eu-west-1"
    assert report["host"]["agent"] == {"kind": "1.x", "version": "OFFICIAL_1.8.1-99_deb"}
    assert {row["outcome"] for row in report["checks"]} <= {"pass", "skip"}


def test_what_is_ruled_out_is_said() -> None:
    """The other causes of the same line, each with the value that excludes it."""
    _, report = check("no-profile", "running", NO_CREDENTIALS)
    (finding,) = (x for x in report["findings"] if x["state"] == "active")
    ruled_out = {x["id"]: x["because"] for x in finding["ruled_out"]}

    assert set(ruled_out) == {"imds-unreachable", "instance-profile-attached-late", "role-unusable"}
    assert "gave a token" in ruled_out["imds-unreachable"]
    assert finding["count"] == 3
