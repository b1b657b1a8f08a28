"""The journal of the agent's unit, from real journal files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agentdoctor import journal
from agentdoctor.logs import NotALog

REMOTE = Path("/lib/systemd/systemd-journal-remote")
AT = 1_795_000_000

ENTRIES = [
    (10, {"_SYSTEMD_UNIT": journal.UNIT, "_PID": "7", "MESSAGE": "/usr/bin/env: 'ruby': No such file or directory"}),
    (20, {"UNIT": journal.UNIT, "_PID": "1", "MESSAGE": "codedeploy-agent.service: Failed with result 'exit-code'."}),
    (30, {"_SYSTEMD_UNIT": "ssh.service", "_PID": "8", "MESSAGE": "of another unit"}),
    (40, {"UNIT": journal.UNIT, "_PID": "666", "MESSAGE": "somebody who says it is systemd"}),
]


@pytest.fixture
def files(tmp_path: Path) -> str:
    """A directory with one journal file that systemd's own tool wrote."""
    pytest.importorskip("systemd.journal", reason="systemd-python is not here")
    if not REMOTE.exists():
        pytest.skip("the package systemd-journal-remote writes the journal for this test")
    text = ""
    for number, (second, fields) in enumerate(ENTRIES):
        stamps = f"__CURSOR=s=a;i={number}\n__REALTIME_TIMESTAMP={(AT + second) * 1_000_000}\n"
        boot = f"__MONOTONIC_TIMESTAMP={second * 1_000_000}\n_BOOT_ID={'a' * 32}\n_MACHINE_ID={'b' * 32}\n"
        text += stamps + boot + "".join(f"{key}={value}\n" for key, value in fields.items()) + "\n"
    subprocess.run(
        [REMOTE, f"--output={tmp_path}/x.journal", "-"], input=text.encode(), check=True, capture_output=True
    )
    return str(tmp_path)


def test_entries_of_the_unit(files: str) -> None:
    """What the unit's processes say, and what systemd itself says about it; nobody else."""
    records = list(journal.read(AT, files))

    assert [record.message for record in records] == [ENTRIES[0][1]["MESSAGE"], ENTRIES[1][1]["MESSAGE"]]
    assert [(record.at, record.pid) for record in records] == [(AT + 10.0, 7), (AT + 20.0, 1)]
    assert {record.log for record in records} == {"journal"}


def test_only_what_is_recent(files: str) -> None:
    """Entries before the age are not read."""
    assert len(list(journal.read(AT + 15, files))) == 1


def test_a_host_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, in words."""
    monkeypatch.setitem(__import__("sys").modules, "systemd", None)

    with pytest.raises(NotALog, match="systemd-python is not installed"):
        next(journal.read(0.0))
