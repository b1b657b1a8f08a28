"""The probe of an instance that is on its way out, against a metadata service of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import say

from .conftest import ask, cases, value
from .imds_server import META, Imds

Serve = Callable[[Imds], Host]

LIFECYCLE, SPOT = "autoscaling/target-lifecycle-state", "spot/instance-action"
LEAVING: list[tuple[str, dict[str, tuple[int, Any]], dict[str, Any]]] = [
    ("no group, no Spot instance", {}, {"target": "", "spot": "", "leaving": False}),
    ("in service", {LIFECYCLE: (200, "InService")}, {"target": "InService", "leaving": False}),
    ("stopped in a warm pool", {LIFECYCLE: (200, "Warmed:Stopped")}, {"leaving": False}),
    ("scaled in", {LIFECYCLE: (200, "Terminated\n")}, {"target": "Terminated", "leaving": True}),
    ("taken out of a warm pool", {LIFECYCLE: (200, "Warmed:Terminated")}, {"leaving": True}),
    ("a Spot instance", {SPOT: (200, {"action": "stop", "time": "x"})}, {"spot": "stop", "leaving": True}),
    ("no answer to one", {LIFECYCLE: (500, "")}, {"target": None, "leaving": None}),
    ("the other settles it", {LIFECYCLE: (500, ""), SPOT: (200, {"action": "stop"})}, {"leaving": True}),
    ("a Spot answer that is no JSON", {SPOT: (200, "<html>")}, {"spot": None, "leaving": None}),
]  # fmt: skip


@cases(LEAVING)
def test_lifecycle(serve: Serve, answers: dict[str, tuple[int, Any]], expected: dict[str, Any]) -> None:
    imds = Imds()
    imds.answers.update({META + path: answer for path, answer in answers.items()})
    seen = value("imds.lifecycle", serve(imds))
    assert {name: seen[name] for name in expected} == expected


def test_without_a_metadata_service() -> None:
    """Then nobody knows. Port 1 of this host is nobody's."""
    assert ask("imds.lifecycle", Host(imds_endpoint="http://127.0.0.1:1")).outcome is Outcome.UNKNOWN


STAYS = {"target": "InService", "spot": "", "leaving": False}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({**STAYS, "target": "Terminated", "leaving": True}, "Auto Scaling moves the instance to Terminated"),
        ({**STAYS, "spot": "stop", "leaving": True}, "EC2 has announced: this Spot instance will stop"),
        ({**STAYS, "target": ""}, "neither Auto Scaling nor EC2 is taking the instance away"),
    ],
)
def test_words(seen: dict[str, Any], said: str) -> None:
    assert say("imds.lifecycle", "leaving", seen["leaving"], seen) == said
