"""The rules about the agent's life: what proves each, what rules it out, and what leaves it open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from agentdoctor import rules as catalogue
from agentdoctor.doctor import Doctor
from agentdoctor.evidence import Ask
from agentdoctor.model import Evidence, Finding, Outcome, Record, Rule, State, Verdict

RULES = {rule.id: rule for rule in catalogue.load().rules}
Values = Mapping[str, Any]


def asking(answers: Values) -> Ask:
    """An ask over fixed answers; what has none could not be looked at."""

    def ask(name: str, _: Mapping[str, str]) -> Evidence:
        answer = answers.get(name)
        if answer is None:
            return Evidence(name, "process", None, "only root may look", Outcome.UNKNOWN)
        return Evidence(name, "process", answer)

    return ask


def judge(rule: Rule, answers: Values, *records: Record) -> tuple[Finding | None, Outcome]:
    """The finding of one rule on its own, and the row of its check."""
    alone = Doctor([rule])
    for record in records:
        alone.observe(record)
    findings = alone.findings(1000.0, asking(answers))
    (check,) = alone.checks(findings, {"agent", "journal"}, asking(answers))
    return next(iter(findings), None), check.outcome


CONFIG = {"path": "/etc/codedeploy-agent/conf/codedeployagent.yml", "changed_at": 900.0, "started_at": 500.0}
WIRE = {"path": "/var/log/aws/codedeploy-agent/codedeploy-agent.aws_wire.log", "readable_by_others": True}
SUPPORT = {"version": "OFFICIAL_1.8.1-99_deb", "os_id": "ubuntu", "os_version": "24.04"}
HELD = {"cwd": "/srv", "cwd_deleted": False, "log": "/var/log/aws/codedeploy-agent/codedeploy-agent.log"}
UNIT = {"load_state": "loaded", "active_state": "active", "sub_state": "running"}

# rule -> what each probe says of a host that has it; then one row for each change that makes it another host.
PROOF: dict[str, Values] = {
    "agent-config-restart-pending": {"config.age": {**CONFIG, "newer_than_process": True}},
    "agent-wire-log-on": {"config.wire_log": {**WIRE, "enabled": True, "exists": True, "size": 5}},
    "agent-version-unsupported": {"package.support": {**SUPPORT, "supported": False, "reason": "2.0 and newer"}},
    "agent-log-deleted": {"held.deleted": {**HELD, "log_deleted": True}},
    "agent-disabled-at-boot": {"unit.state": {**UNIT, "unit_file_state": "disabled"}},
}
CONTRADICTIONS: list[tuple[str, str, Values]] = [
    ("agent-log-deleted", "held.deleted", {"log_deleted": False}),
    ("agent-config-restart-pending", "config.age", {"newer_than_process": False}),
    ("agent-wire-log-on", "config.wire_log", {"enabled": False, "exists": False, "size": 0}),
    ("agent-version-unsupported", "package.support", {"supported": True, "reason": ""}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "enabled"}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "generated"}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "static"}),
]
# What a probe may leave out of its answer.
UNSAID: list[tuple[str, str, Values]] = [
    ("agent-log-deleted", "held.deleted", {"log_deleted": None}),
    ("agent-config-restart-pending", "config.age", {"newer_than_process": None}),
    ("agent-wire-log-on", "config.wire_log", {"enabled": None, "exists": False, "size": 0}),
    ("agent-version-unsupported", "package.support", {"supported": None, "reason": "debian 12 is not in the list"}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": None}),
]
ALSO: list[tuple[str, str, Values]] = [
    ("agent-wire-log-on", "config.wire_log", {"enabled": False}),
    ("agent-wire-log-on", "config.wire_log", {"exists": False, "size": 0}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "masked"}),
]


def changed(id_: str, probe: str, fields: Values) -> Values:
    """The proof of a rule with other values of one probe."""
    return {**PROOF[id_], probe: {**PROOF[id_][probe], **fields}}


def names(table: list[tuple[str, str, Values]]) -> Iterator[str]:
    return (f"{id_}: {', '.join(f'{k}={v}' for k, v in fields.items())}" for id_, _, fields in table)


@pytest.mark.parametrize("id_", PROOF)
def test_the_host_proves_it(id_: str) -> None:
    """Everything that the rule wants, and no log."""
    finding, outcome = judge(RULES[id_], PROOF[id_])

    assert finding is not None
    assert (finding.verdict, finding.state, outcome) == (Verdict.CONFIRMED, State.ACTIVE, Outcome.FAIL)


@pytest.mark.parametrize(("id_", "probe", "fields"), ALSO, ids=names(ALSO))
def test_another_proof(id_: str, probe: str, fields: Values) -> None:
    finding, _ = judge(RULES[id_], changed(id_, probe, fields))

    assert finding is not None
    assert finding.verdict is Verdict.CONFIRMED


@pytest.mark.parametrize(("id_", "probe", "fields"), CONTRADICTIONS, ids=names(CONTRADICTIONS))
def test_the_host_contradicts_it(id_: str, probe: str, fields: Values) -> None:
    """One value that differs is enough, and the check has passed."""
    finding, outcome = judge(RULES[id_], changed(id_, probe, fields))

    assert (finding, outcome) == (None, Outcome.PASS)


@pytest.mark.parametrize(("id_", "probe", "fields"), UNSAID, ids=names(UNSAID))
def test_what_was_not_learned_is_not_healthy(id_: str, probe: str, fields: Values) -> None:
    finding, outcome = judge(RULES[id_], changed(id_, probe, fields))

    assert (finding, outcome) == (None, Outcome.UNKNOWN)


@pytest.mark.parametrize(("id_", "probe"), [(id_, probe) for id_, answers in PROOF.items() for probe in answers])
def test_a_probe_that_could_not_look_leaves_it_open(id_: str, probe: str) -> None:
    """Each probe of each proof, one at a time."""
    answers = {name: answer for name, answer in PROOF[id_].items() if name != probe}
    finding, outcome = judge(RULES[id_], answers)

    assert (finding, outcome) == (None, Outcome.UNKNOWN)


def test_every_rule_of_the_table_is_contradicted_somewhere() -> None:
    assert {id_ for id_, _, _ in CONTRADICTIONS} == set(PROOF) == {id_ for id_, _, _ in UNSAID}


LOST = Record(log="agent", message="Error during perform: Errno::ENOENT - No such file or directory - getcwd", at=100.0)
WORKDIR = {
    "deleted": ({"held.deleted": {**HELD, "cwd_deleted": True}}, Verdict.CONFIRMED, State.ACTIVE),
    "there, so the agent was restarted": ({"held.deleted": HELD}, Verdict.RULED_OUT, State.RECOVERED),
    "nobody could look": ({}, Verdict.UNVERIFIED, State.ACTIVE),
}


@pytest.mark.parametrize(("answers", "verdict", "state"), WORKDIR.values(), ids=WORKDIR)
def test_the_working_directory(answers: Values, verdict: Verdict, state: State) -> None:
    """The log says that it is gone, and the host where the agent stands now."""
    finding, _ = judge(RULES["agent-workdir-deleted"], answers, LOST)

    assert finding is not None
    assert (finding.verdict, finding.state) == (verdict, state)


def test_a_deleted_working_directory_is_no_finding_before_it_failed() -> None:
    finding, _ = judge(RULES["agent-workdir-deleted"], {"held.deleted": {**HELD, "cwd_deleted": True}})

    assert finding is None
