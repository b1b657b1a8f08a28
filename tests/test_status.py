"""What is shown of the service: each number in the metrics, and a row for nothing that is not known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import consumers
import pytest
from golden_runs import EVERYTHING
from posting import letter

from agentdoctor.model import Silence
from agentdoctor.outbox import Row
from agentdoctor.report import gauges, prometheus
from agentdoctor.report.status import as_json, as_text, exit_code
from agentdoctor.status import HUNG, RUNNING, STOPPED, Status

NOW = 1_800_000_000.0


def life(id_: str, state: str = "active", severity: str = "critical") -> dict[str, Any]:
    return {"document": {"id": id_, "severity": severity, "verdict": "confirmed", "state": state}}


def row(status: str, at: float) -> Row:
    return Row(1, letter(f"k-{at}", at=at), 100, at, status)


KNOWN = Status(
    at=NOW,
    service=RUNNING,
    pulse={"logs": {"/a": {"behind": 30}, "/b": {"behind": 12}}, "refused": {"/tmp/x": "is a link"}},
    process={"memory_mb": 24.5, "cpu_seconds": 1.5, "uptime_seconds": 60},
    lives=(life("disk-full"), life("disk-full"), life("clock-skew", severity="warning"), life("old", "recovered")),
    letters=(row("waiting", NOW - 40), row("open", NOW - 90), row("parked", NOW - 500), row("sent", NOW - 900)),
    facts={"outbox.delivered": {"at": NOW - 7, "message_id": "m-1"}},
    silences={"clock-skew": Silence("clock-skew", NOW + 60, "known")},
)


def metrics(status: Status) -> dict[str, float]:
    """Values by name and label values; the same reader as for the report's."""
    return {
        " ".join((name.removeprefix("agentdoctor_service_"), *(dict(labels).values()))): value
        for (name, labels), value in consumers.prometheus(gauges.render(status)).items()
    }


def test_each_number_is_there() -> None:
    found = metrics(KNOWN)

    assert found.pop(next(name for name in found if name.startswith("build_info"))) == 1
    assert found == {
        "up": 1, "exit_code": 2, "state_durable": 1, "memory_megabytes": 24.5, "cpu_seconds": 1.5,
        "uptime_seconds": 60, "finding disk-full critical confirmed active": 2,
        "finding clock-skew warning confirmed silenced": 1, "finding old critical confirmed recovered": 1, "logs": 2,
        "logs_behind_bytes": 42, "logs_refused": 1, "alerts_waiting": 2, "alerts_refused": 1,
        "alerts_oldest_seconds": 90, "alerts_delivered_timestamp_seconds": NOW - 7, "looked_timestamp_seconds": NOW,
    }  # fmt: skip


@pytest.mark.parametrize("service", [STOPPED, HUNG])
def test_nobody_watches(service: str) -> None:
    found = metrics(Status(at=NOW, service=service, trouble=("no state",)))

    assert (found["up"], found["exit_code"], found["state_durable"]) == (0, 3, 0)
    assert not {name for name in found if name.startswith(("memory", "finding", "logs", "alerts"))}, "unknown is not 0"


def test_beside_the_metrics_of_a_check() -> None:
    """In one folder of the collector a name that came in two files is an error."""
    both = prometheus.render(EVERYTHING) + gauges.render(KNOWN)

    assert consumers.prometheus(both)


SEVERITIES = {"critical": 2, "warning": 1, "info": 0}


@pytest.mark.parametrize(("severity", "code"), SEVERITIES.items())
def test_exit_code(severity: str, code: int) -> None:
    assert exit_code(Status(at=NOW, service=RUNNING, lives=(life("x", severity=severity),))) == code


@pytest.mark.parametrize("why", ["", "the Python package systemd-python is not installed"], ids=["whole", "plain"])
def test_what_keeps_entries_out_of_the_journal_is_shown(why: str) -> None:
    """Else people would search by fields that no entry has."""
    status = replace(KNOWN, lives=(), process={}, pulse={**KNOWN.pulse, "plain": why})

    assert ("told on standard error, not as entries of the journal: " + why in as_text(status)) == bool(why)
    assert json.loads(as_json(status))["alerts"]["plain"] == (why or None)
