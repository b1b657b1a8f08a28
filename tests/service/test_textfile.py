"""The metrics that the service writes for node_exporter."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from consumers import prometheus

from service.stand import DENIED, Stand, wait_for


@pytest.fixture
def metrics(stand: Stand) -> Path:
    """The service with a file of metrics."""
    (stand.folder / "metrics").mkdir()
    path = stand.folder / "metrics/agentdoctor.prom"
    stand.configure(prometheus={"textfile": str(path)})
    return path


def has(path: Path, row: str) -> bool:
    """Whether a row is in the file; not while the file is not there yet."""
    return path.exists() and row in path.read_text()


FOUND = 'agentdoctor_finding{id="command-access-denied",severity="critical"'


def test_findings_become_metrics(stand: Stand, metrics: Path) -> None:
    """Whole, for everybody to read, and in the form that the collector takes."""
    stand.log(DENIED)
    stand.start()
    wait_for(lambda: has(metrics, FOUND), "the finding", 60.0)

    assert prometheus(metrics.read_text())
    assert has(metrics, "agentdoctor_exit_code 2\n")
    assert metrics.stat().st_mode & 0o777 == 0o644
    assert os.listdir(metrics.parent) == [metrics.name]


def test_what_is_silenced_is_no_alarm(stand: Stand, metrics: Path) -> None:
    """It is in the metrics, as suppressed; the exit code is that of what is left."""
    stand.log(DENIED)
    for rule in ("command-access-denied", "imds-unreachable"):  # nobody answers where the stand looks for it
        assert stand.run("silence", rule, "--reason", "known").returncode == 0
    stand.start()
    wait_for(lambda: has(metrics, FOUND), "the finding", 60.0)

    assert 'state="suppressed"' in next(row for row in metrics.read_text().splitlines() if row.startswith(FOUND))
    assert has(metrics, "agentdoctor_exit_code 3\n")  # of what could not be looked at


def test_a_file_that_cannot_be_written(stand: Stand, metrics: Path) -> None:
    """It is said once, the service works on, and the file comes when it can: also by a reload alone."""
    stand.configure(prometheus={"textfile": str(stand.folder / "absent/x.prom")})
    stand.log(DENIED)
    stand.start()
    wait_for(lambda: "absent/x.prom: No such file or directory" in stand.stderr(), "the complaint")
    wait_for(lambda: "command-access-denied" in stand.findings(), "a finding all the same")
    assert stand.stderr().count("absent/x.prom") == 1

    stand.configure(prometheus={"textfile": str(metrics)})
    assert stand.process
    pid = stand.process.pid
    stand.process.send_signal(signal.SIGHUP)
    wait_for(lambda: has(metrics, FOUND), "the file of the new settings", 60.0)
    assert stand.pulse()["pid"] == pid


def test_without_the_setting_nothing_is_written(stand: Stand) -> None:
    stand.log(DENIED)
    stand.start()
    wait_for(lambda: "command-access-denied" in stand.findings(), "the finding")

    assert list(stand.folder.rglob("*.prom")) == []
