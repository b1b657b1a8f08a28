"""What is over stays over when another log tells of it again: logs are read one after the other."""

from __future__ import annotations

import pytest

from agentdoctor.doctor import Doctor
from agentdoctor.model import Deployment, Record, Rule, State

FAILED = "Script at specified location: scripts/after.sh failed with error No such file or directory (os error 2)"
PART = Deployment("d-BBBBBBBBB", "", "AfterInstall", "")


def record(at: float, log: str, message: str = FAILED, succeeded: str = "") -> Record:
    level = "INFO" if succeeded else "ERROR"
    return Record(log, message, at=at, agent="2.x", level=level, deployment=PART, succeeded=succeeded)


@pytest.mark.parametrize(
    ("at", "state"),
    [(100.2, State.RECOVERED), (101.9, State.RECOVERED), (102.0, State.ACTIVE), (160.0, State.ACTIVE)],
    ids=["the same failure", "just before the end", "in the moment of the end", "a new failure"],
)
def test_told_again(at: float, state: State, rules: tuple[Rule, ...]) -> None:
    doctor = Doctor(rules)
    doctor.observe(record(100.0, "agent"))
    doctor.observe(record(102.0, "agent", "Command succeeded elapsed_ms=2", succeeded="AfterInstall"))
    doctor.observe(record(at, "deployment"))

    assert {finding.state for finding in doctor.findings(0.0)} == {state}
