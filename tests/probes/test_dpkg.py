"""The probe of dpkg: its files in a tree of our own, and a lock that is really held."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes.dpkg import half_done
from agentdoctor.words import tell

from .conftest import ask, cases, value, write

LOCK = "/var/lib/dpkg/lock-frontend"
INSTALLED = "Package: bash\nStatus: install ok installed\nVersion: 5\n"
HALF = "Package: codedeploy-agent\nStatus: install ok half-configured\nVersion: 1\n"


def host(root: Path, files: dict[str, str | None] | None = None) -> Host:
    """A living host below a directory, with a dpkg at rest."""
    base = {"/var/lib/dpkg/status": INSTALLED, "/proc/locks": "", LOCK: "", "/var/lib/dpkg/updates": None}
    write(root, {**base, **(files or {})})
    return Host(root=str(root))


STATUSES = [
    ("all well", INSTALLED, []),
    ("removed", "Package: a\nStatus: deinstall ok config-files\n", []),
    ("half configured", f"{INSTALLED}\n{HALF}", ["codedeploy-agent"]),
    ("unpacked", "Package: a\nStatus: install ok unpacked\n", ["a"]),
    ("a description that speaks of it", "Package: a\nStatus: install ok installed\nX: Status: i ok unpacked\n", []),
]


@cases(STATUSES)
def test_half_done(status: str, expected: list[str]) -> None:
    assert half_done(status) == expected


STATES: list[tuple[str, dict[str, str | None], dict[str, Any]]] = [
    ("at rest", {}, {"lock_holder": "", "interrupted": False, "half_done": [], "unattended_running": False}),
    ("half configured", {"/var/lib/dpkg/status": HALF}, {"interrupted": True, "half_done": ["codedeploy-agent"]}),
    ("updates noted", {"/var/lib/dpkg/updates/0001": ""}, {"interrupted": True, "half_done": []}),
    ("a stray file", {"/var/lib/dpkg/updates/tmp.i": ""}, {"interrupted": False}),
    ("no log", {}, {"last_agent_change": None}),
    (
        "unattended-upgrade",
        {"/proc/7/cmdline": "/usr/bin/python3\0/usr/bin/unattended-upgrade\0"},
        {"unattended_running": True},
    ),
    (
        "what waits for the end of the host",
        {"/proc/7/cmdline": "/usr/bin/python3\0/usr/share/unattended-upgrades/unattended-upgrade-shutdown\0"},
        {"unattended_running": False},
    ),
]


@cases(STATES)
def test_state(tmp_path: Path, files: dict[str, str | None], expected: dict[str, Any]) -> None:
    seen = value("dpkg.state", host(tmp_path, files))
    assert {name: seen[name] for name in expected} == expected


CHANGE = "2026-11-22 20:40:12 status installed codedeploy-agent:all 1.8.1-99\n"
OTHER = "2026-11-23 09:00:00 status installed libc6:amd64 2.35\n"
LOGS: list[tuple[str, dict[str, str | None], float | None]] = [
    ("today's", {"/var/log/dpkg.log": CHANGE + OTHER}, time.mktime((2026, 11, 22, 20, 40, 12, 0, 0, -1))),
    (
        "of last month",
        {"/var/log/dpkg.log": OTHER, "/var/log/dpkg.log.1": CHANGE},
        time.mktime((2026, 11, 22, 20, 40, 12, 0, 0, -1)),
    ),
    ("of others only", {"/var/log/dpkg.log": OTHER}, None),
]


@cases(LOGS)
def test_last_change(tmp_path: Path, files: dict[str, str | None], expected: float | None) -> None:
    assert value("dpkg.state", host(tmp_path, files))["last_agent_change"] == expected


def test_a_lock_that_is_held(tmp_path: Path) -> None:
    """By a process of ours; while it works, what it left half done is no interruption."""
    host(tmp_path, {"/var/lib/dpkg/status": HALF})
    with open(tmp_path / LOCK[1:], "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        found = os.fstat(lock.fileno())
        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        assert f":{found.st_ino} " in Path("/proc/locks").read_text()
        pid = os.getpid()
        files = {"/proc/locks": f"1: POSIX  ADVISORY  WRITE {pid} {device} 0 EOF\n", f"/proc/{pid}/comm": "apt-get\n"}
        seen = value("dpkg.state", host(tmp_path, {**files, "/var/lib/dpkg/status": HALF}))
    assert (seen["lock_holder"], seen["interrupted"], seen["half_done"]) == ("apt-get", False, ["codedeploy-agent"])


OTHERS = [
    ("another inode", "1: POSIX  ADVISORY  WRITE 1 {device}:1 0 EOF\n", ""),
    ("a reader", "1: POSIX  ADVISORY  READ 1 {device}:{inode} 0 EOF\n", ""),
    ("one who waits", "1: -> POSIX  ADVISORY  WRITE 1 {device}:{inode} 0 EOF\n", ""),
    ("one in another namespace", "1: POSIX  ADVISORY  WRITE 0 {device}:{inode} 0 EOF\n", "?"),
]


@cases(OTHERS)
def test_other_locks(tmp_path: Path, line: str, holder: str) -> None:
    host(tmp_path)
    found = os.stat(tmp_path / LOCK[1:])
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    files: dict[str, str | None] = {"/proc/locks": line.format(device=device, inode=found.st_ino)}
    assert value("dpkg.state", host(tmp_path, files))["lock_holder"] == holder


def test_no_dpkg(tmp_path: Path) -> None:
    assert ask("dpkg.state", Host(root=str(tmp_path))).outcome is Outcome.SKIP


@pytest.mark.skipif(not os.path.exists("/var/lib/dpkg/status"), reason="there is no dpkg here")
def test_this_machine() -> None:
    assert set(value("dpkg.state", Host())) >= {"lock_holder", "interrupted", "last_agent_change"}


def test_words() -> None:
    seen = {"last_agent_change": 0.0, "lock_holder": "", "interrupted": True, "half_done": ["a"]}
    assert tell("dpkg.state", seen) == "dpkg last changed the agent 1970-01-01 00:00 UTC; dpkg was interrupted at a"
    assert tell("dpkg.state", {"last_agent_change": None, "lock_holder": "apt"}) == "apt holds the lock of dpkg or apt"
    assert tell("dpkg.state", {"last_agent_change": None}) == ""
