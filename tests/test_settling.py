"""Agent 2.x logs no good poll: what shows all the same that an error of polling is over, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agentdoctor.doctor import Doctor
from agentdoctor.model import Evidence, Outcome, Record, Role, Rule, State

AT = 1_790_000_000.0
EXPIRED = "Signature expired: 20260910T081502Z is now earlier than 20260910T083012Z (20260910T083512Z - 5 min.)"
REFUSED = f"Error polling for host commands: CodeDeploy command service error: HttpError: {EXPIRED}"
OURS: dict[str, Any] = {"generation": "2.x", "running": True, "worker_pid": 7, "worker_started": AT - 60, "workers": 1}

CASES: dict[str, tuple[float, Mapping[str, Any] | None, str, State]] = {
    "the same worker, three minutes later": (181, OURS, "2.x", State.RECOVERED),
    "its first poll failed, in the second of its start": (
        181,
        {**OURS, "worker_started": AT + 0.9},
        "2.x",
        State.RECOVERED,
    ),
    "the next worker, which may not have got so far": (999, {**OURS, "worker_started": AT + 2}, "2.x", State.ACTIVE),
    "not long enough": (180, OURS, "2.x", State.ACTIVE),
    "no worker": (999, {**OURS, "worker_started": None, "workers": 0}, "2.x", State.ACTIVE),
    "nobody could look": (999, None, "2.x", State.ACTIVE),
    "1.x, which logs good polls": (999, {**OURS, "generation": "1.x"}, "1.x", State.ACTIVE),
    "1.x now, after it was 2.x": (999, {**OURS, "generation": "1.x"}, "2.x", State.ACTIVE),
}


@pytest.mark.parametrize(("after", "seen", "agent", "state"), CASES.values(), ids=CASES)
def test_settled(
    after: float, seen: Mapping[str, Any] | None, agent: str, state: State, rules: tuple[Rule, ...]
) -> None:
    def ask(name: str, about: Mapping[str, str]) -> Evidence:
        if name == "process.agent" and seen is not None:
            return Evidence(name, "process", seen)
        return Evidence(name, "process", None, "not asked here", Outcome.UNKNOWN)

    doctor = Doctor(rules)
    doctor.observe(Record("agent", REFUSED, at=AT, agent=agent, level="ERROR"))
    (finding,) = [f for f in doctor.findings(AT + after, ask) if any(p.role is Role.SYMPTOM for p in f.evidence)]

    assert finding.state is state
    if state is State.RECOVERED:
        assert "worker 7 polls on" in finding.evidence[-1].text
