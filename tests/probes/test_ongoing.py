"""The probe of deployments that the agent holds for running."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import tell

from .conftest import ask, cases, value, write

DIRECTORY = "/opt/codedeploy-agent/deployment-root/ongoing-deployment"
NOW, HOUR = 1_700_000_000.0, 3600.0


def aged(root: Path, ages: dict[str, float]) -> Host:
    """A tree taken at NOW with marks of these ages in seconds."""
    host = write(root, {f"{DIRECTORY}/{name}": "identifier" for name in ages})
    for name, age in ages.items():
        os.utime(root / f"{DIRECTORY}/{name}"[1:], (NOW - age, NOW - age))
    return replace(host, taken_at=NOW)


MARKS = [
    ("none", {}, {"files": 0, "young": 0, "youngest_age": None, "deployment_ids": []}),
    ("one", {"d-A": 60.0}, {"files": 1, "young": 1, "youngest_age": 60, "deployment_ids": ["d-A"]}),
    ("an old one", {"d-A": 25 * HOUR}, {"files": 1, "young": 0, "youngest_age": 25 * 3600}),
    ("both", {"d-A": 25 * HOUR, "d-B": HOUR}, {"files": 2, "young": 1, "youngest_age": 3600}),
    ("just old enough", {"d-A": 24 * HOUR}, {"young": 0}),
    ("from the future", {"d-A": -HOUR}, {"young": 1, "youngest_age": 0}),
]


@cases(MARKS)
def test_deployments(tmp_path: Path, ages: dict[str, float], expected: dict[str, Any]) -> None:
    seen = value("ongoing.deployments", aged(tmp_path, ages))
    assert {name: seen[name] for name in expected} == expected


def test_a_copy_of_unknown_age(tmp_path: Path) -> None:
    """Its marks may be of any age; without marks there is nothing to tell."""
    seen = value("ongoing.deployments", replace(aged(tmp_path, {"d-A": 60.0}), taken_at=None))
    assert (seen["files"], seen["young"], seen["youngest_age"]) == (1, None, None)
    (tmp_path / f"{DIRECTORY}/d-A"[1:]).unlink()
    assert value("ongoing.deployments", Host(root=str(tmp_path), live=False))["young"] == 0


def test_a_directory_that_we_may_not_read(unprivileged: Path) -> None:
    host = aged(unprivileged, {"d-A": 1.0})
    (unprivileged / DIRECTORY[1:]).chmod(0)
    seen = ask("ongoing.deployments", host)
    (unprivileged / DIRECTORY[1:]).chmod(0o755)
    assert seen.outcome is Outcome.UNKNOWN


def test_words() -> None:
    seen = {"deployment_ids": ["d-A", "d-B"], "youngest_age": 125}
    assert tell("ongoing.deployments", seen) == "held for running: d-A, d-B, the youngest mark is 2 min old"
    assert tell("ongoing.deployments", {"deployment_ids": []}) == "no deployment is held for running"
