"""The journal as a sink: fields to search by, one line of message, and a way where there is no journald."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.sinks.journal import fields, tell, trouble
from conftest import TOP
from sinks import FINDING, letter


def test_fields() -> None:
    """All that people search by."""
    assert fields(letter()) == {
        "MESSAGE": "CRITICAL: No instance profile is attached (instance-profile-missing, confirmed)",
        "MESSAGE_ID": "139ab4cce9b5dc044c57275f3547ca22",  # people search by it: it never changes
        "PRIORITY": "2",
        "SYSLOG_IDENTIFIER": "agentdoctor",
        "AGENTDOCTOR_RULE": "instance-profile-missing",
        "AGENTDOCTOR_EVENT": "opened",
        "AGENTDOCTOR_VERDICT": "confirmed",
        "AGENTDOCTOR_SEVERITY": "critical",
        "AGENTDOCTOR_FINGERPRINT": "4189a1a0edd7edc7",
        "AGENTDOCTOR_CAUSE": "The agent asked the metadata service for credentials and got none.",
        "AGENTDOCTOR_FIX": "1. Attach a profile [operator, risk: low]\n     aws ec2 associate --x y",
        "AGENTDOCTOR_SUBJECT": "/srv/app",
        "AGENTDOCTOR_INSTANCE_ID": "i-0123456789abcdef0",
        "AGENTDOCTOR_DEPLOYMENT_GROUP": "web-production",
        "AGENTDOCTOR_DEPLOYMENT_ID": "d-ABCDEFGH1",
        "AGENTDOCTOR_LIFECYCLE_EVENT": "AfterInstall",
        "AGENTDOCTOR_KEY": "3f0e4c55-opened",
    }


PRIORITIES = {
    "critical": ({}, "2"),
    "warning": ({"severity": "warning"}, "4"),
    "info": ({"severity": "info"}, "6"),
    "escalated": ({"event": "escalated"}, "2"),
    "recovered": ({"event": "recovered"}, "5"),
    "a test": ({"event": "test"}, "5"),
    "a severity of another version": ({"severity": "fatal"}, "4"),
}


@pytest.mark.parametrize(("changes", "priority"), PRIORITIES.values(), ids=PRIORITIES)
def test_priority(changes: dict[str, Any], priority: str) -> None:
    """By severity; what is over wakes nobody."""
    assert fields(letter(**changes))["PRIORITY"] == priority


def test_message_id_is_of_the_rule() -> None:
    """The same for all that a rule finds, another for another rule."""
    assert fields(letter(event="recovered", key="x"))["MESSAGE_ID"] == fields(letter())["MESSAGE_ID"]
    assert fields(letter(rule="disk-full"))["MESSAGE_ID"] != fields(letter())["MESSAGE_ID"]


def test_r18_hostile_text() -> None:
    """One line each, nothing unseen, no secret; empty fields are left out."""
    finding = {
        "title": "a\nMESSAGE_ID=x \x1b[2J\u202e\u200b password=hunter22 b",
        "subject": {"name": "\u200b\ud800"},
        "verdict": 7,
        "remediation": [
            {"text": "b\nPRIORITY=0 \u202e", "command": "x \x1b[2J password=hunter22\n  y \u200b'a  b'"},
            7,
            {},
        ],
    }

    entry = fields(letter(finding, rule="disk-full\nPRIORITY=0", deployment_group=""))

    shown = "CRITICAL: a MESSAGE_ID=x \\x202e password=<password> b (disk-full PRIORITY=0)"
    assert entry["MESSAGE"] == shown
    assert "hunter22" not in "".join(entry.values())
    assert entry.pop("AGENTDOCTOR_FIX").splitlines() == [
        "1. b PRIORITY=0 \\x202e []",
        "     x [2J password=<password>",
        "       y 'a  b'",
        "2.  []",
    ]
    assert all(value.isprintable() and value for value in entry.values())
    assert not {"AGENTDOCTOR_SUBJECT", "AGENTDOCTOR_VERDICT", "AGENTDOCTOR_DEPLOYMENT_GROUP"} & set(entry)


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 100_000])
def test_r16_a_body_that_cannot_be_read(body: str) -> None:
    """There is an entry all the same."""
    assert fields(letter(body=body))["MESSAGE"] == "CRITICAL: agentdoctor (instance-profile-missing)"


def test_without_a_journal(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A line on standard error, with the priority as systemd reads it."""
    tell(letter(), str(tmp_path / "absent"))

    assert (
        capfd.readouterr().err == "<2>CRITICAL: No instance profile is attached (instance-profile-missing, confirmed)\n"
    )


def test_with_nobody_to_read() -> None:
    """A full disk or a closed standard error ends no service."""
    code = (
        "import sys; sys.path.insert(0, 'tests'); from sinks import letter; from agentdoctor.sinks.journal import tell;"
    )
    with open("/dev/full", "w") as full:
        subprocess.run([sys.executable, "-c", f"{code} tell(letter(), '/absent')"], stderr=full, check=True, cwd=TOP)
    subprocess.run(
        ["sh", "-c", f'exec "$0" -c "{code} tell(letter(), \'/absent\')" 2>&-', sys.executable], check=True, cwd=TOP
    )


# A journald of our own in a mount namespace: what is sent arrives at its socket as a datagram of fields.
RECEIVE = """
import os, socket, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
sys.path.insert(0, "tests")
from sinks import letter
from agentdoctor.sinks.journal import tell
tell(letter())
journal.setblocking(False)
sys.stdout.buffer.write(journal.recv(1 << 20))
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare for a /run of its own"
)
def test_journald_gets_an_entry() -> None:
    """By systemd-python where that is installed, with every field."""
    pytest.importorskip("systemd.journal", reason="systemd-python has no wheels, and is not built for this Python")

    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", RECEIVE], capture_output=True, check=True, cwd=TOP, timeout=60
    )

    assert received(done.stdout) == fields(letter(FINDING))
    assert done.stderr == b""


def test_what_keeps_entries_out_of_the_journal_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No journald, or no way to it: a reason, and no traceback."""
    there = str(tmp_path)
    assert trouble(str(tmp_path / "gone")) == "there is no journald"
    monkeypatch.setitem(sys.modules, "systemd", None)  # as where it is not installed
    assert trouble(there) == "the Python package systemd-python is not installed"
    monkeypatch.setitem(sys.modules, "systemd", types.ModuleType("systemd"))
    assert trouble(there) == ""


def received(datagram: bytes) -> dict[str, str]:
    """The fields of a datagram: NAME=value, or NAME, a length of 8 bytes and a value with line breaks."""
    found = {}
    while datagram:
        head, _, rest = datagram.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            length = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + length], rest[9 + length :]
        found[name.decode()] = value.decode()
        datagram = rest
    return found
