"""The rules about the agent's life: what proves each, what rules it out, and what leaves it open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
HELD = {
    "cwd": "/srv",
    "cwd_deleted": False,
    "log_deleted": False,
    "log": "/var/log/aws/codedeploy-agent/codedeploy-agent.log",
}
UNIT = {"load_state": "loaded", "active_state": "active", "sub_state": "running"}

# Agent 1.x an hour after its start, at its long poll: the picture of health.
AGENT = {
    "running": True, "generation": "1.x", "master_pid": 812, "master_started": 100.0, "master_age": 3600.0,
    "workers": 1, "worker_pid": 820, "worker_started": 101.0, "worker_age": 3599.0,
}  # fmt: skip
WORK = {"connections": 1, "cpu_seconds": 3.0, "state": "S", "children": 0, "deploying": False}
LOG = {
    "path": HELD["log"], "exists": True, "size": 9000, "torn_end": False, "age_seconds": 30.0, "quiet_seconds": 29.0,
    "last_stamp_age": 30.0, "last_poll_age": 30.0, "deployments_after": 0,
}  # fmt: skip
WELL: dict[str, Values] = {"process.agent": AGENT, "process.work": WORK, "log.activity": LOG, "held.deleted": HELD}
QUIET = {**LOG, "age_seconds": 3600.0, "quiet_seconds": 3599.0, "last_poll_age": 3600.0}
RUST = {**AGENT, "generation": "2.x"}

# rule -> what each probe says of a host that has it; then one row for each change that makes it another host.
PROOF: dict[str, Values] = {
    "agent-config-restart-pending": {"config.age": {**CONFIG, "newer_than_process": True}},
    "agent-wire-log-on": {"config.wire_log": {**WIRE, "enabled": True, "exists": True, "size": 5}},
    "agent-version-unsupported": {"package.support": {**SUPPORT, "supported": False, "reason": "2.0 and newer"}},
    "agent-silent": {**WELL, "log.activity": QUIET, "process.work": {**WORK, "connections": 0}},
    "agent-log-off": {**WELL, "log.activity": QUIET},
    "agent-log-deleted": {"held.deleted": {**HELD, "log_deleted": True}},
    "agent-disabled-at-boot": {"unit.state": {**UNIT, "unit_file_state": "disabled"}},
}
CONTRADICTIONS: list[tuple[str, str, Values]] = [
    ("agent-silent", "process.agent", {"worker_age": 200.0}),
    ("agent-silent", "process.agent", {"running": False}),
    ("agent-silent", "log.activity", {"quiet_seconds": 250.0}),
    ("agent-silent", "process.work", {"connections": 1}),
    ("agent-silent", "process.work", {"children": 1}),
    ("agent-silent", "process.work", {"deploying": True}),
    ("agent-silent", "held.deleted", {"log_deleted": True}),
    ("agent-log-off", "process.agent", {"worker_age": 200.0}),
    ("agent-log-off", "process.agent", {"generation": "2.x"}),
    ("agent-log-off", "log.activity", {"quiet_seconds": 400.0}),
    ("agent-log-off", "log.activity", {"exists": False}),
    ("agent-log-off", "process.work", {"connections": 0}),
    ("agent-log-off", "process.work", {"state": "T"}),
    ("agent-log-off", "held.deleted", {"log_deleted": True}),
    ("agent-log-deleted", "held.deleted", {"log_deleted": False}),
    ("agent-config-restart-pending", "config.age", {"newer_than_process": False}),
    ("agent-wire-log-on", "config.wire_log", {"enabled": False, "exists": False, "size": 0}),
    ("agent-version-unsupported", "package.support", {"supported": True, "reason": ""}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "enabled"}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "generated", "wanted_by": "multi-user.target"}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "static"}),
]
# What a probe may leave out of its answer.
UNSAID: list[tuple[str, str, Values]] = [
    ("agent-silent", "log.activity", {"quiet_seconds": None}),
    ("agent-silent", "process.work", {"connections": None}),
    ("agent-log-off", "log.activity", {"quiet_seconds": None}),
    ("agent-log-off", "process.work", {"connections": None}),
    ("agent-log-deleted", "held.deleted", {"log_deleted": None}),
    ("agent-config-restart-pending", "config.age", {"newer_than_process": None}),
    ("agent-wire-log-on", "config.wire_log", {"enabled": None, "exists": False, "size": 0}),
    ("agent-version-unsupported", "package.support", {"supported": None, "reason": "debian 12 is not in the list"}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": None}),
]
ALSO: list[tuple[str, str, Values]] = [
    ("agent-silent", "process.work", {"state": "T"}),
    ("agent-silent", "process.agent", {"workers": 0, "worker_pid": 0, "worker_age": None}),
    ("agent-log-off", "log.activity", {"deployments_after": 1}),
    ("agent-wire-log-on", "config.wire_log", {"enabled": False}),
    ("agent-wire-log-on", "config.wire_log", {"exists": False, "size": 0}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "masked"}),
    ("agent-disabled-at-boot", "unit.state", {"unit_file_state": "generated", "wanted_by": ""}),
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


WORKING = {**WORK, "connections": 0}
IDLE = {**QUIET, "last_poll_age": None}  # 2.x says nothing while it waits
NONE = {"worker_pid": 0, "worker_started": None, "worker_age": None, "workers": 0}
SILENCES = {
    "2.x, its worker stopped": ({"process.agent": RUST, "log.activity": IDLE, "process.work": {**WORK, "state": "T"}}),
    "2.x, no worker": ({"process.agent": {**RUST, **NONE}, "log.activity": IDLE}),
    "1.x, its worker at a dead disk": ({"log.activity": QUIET, "process.work": {**WORK, "state": "D"}}),
}


@pytest.mark.parametrize("answers", SILENCES.values(), ids=SILENCES)
def test_silent(answers: dict[str, Values]) -> None:
    """Each way to do nothing, of either generation."""
    finding, _ = judge(RULES["agent-silent"], {**WELL, **answers})

    assert finding is not None
    assert finding.verdict is Verdict.CONFIRMED


# Hosts on which none of the rules about the agent's life may say a word, as far as each differs from a healthy one.
HEALTHY: dict[str, dict[str, Values]] = {
    "1.x at its long poll": {},
    "1.x between two polls": {"process.work": WORKING},
    "1.x, longest back-off": {"process.work": WORKING, "log.activity": {**LOG, "quiet_seconds": 100.0}},
    "1.x that just started, on an old log": {
        "process.agent": {**AGENT, "worker_age": 20.0, "master_age": 21.0},
        "process.work": WORKING,
        "log.activity": QUIET,
    },
    "a worker that was just respawned": {"process.agent": {**AGENT, "worker_age": 4.0}, "log.activity": LOG},
    "a log that was just rotated": {
        "log.activity": {**LOG, "size": 0, "quiet_seconds": 0.0, "last_poll_age": None, "torn_end": None},
        "process.work": WORKING,
    },
    "a host that just woke up": {
        "process.work": WORKING,
        "log.activity": {**QUIET, "quiet_seconds": 40.0},
    },
    "a hook of an hour in an agent that cannot poll meanwhile": {
        "process.work": {**WORKING, "children": 1, "deploying": True},
        "log.activity": QUIET,
    },
    "a large copy in an agent that cannot poll meanwhile": {
        "process.work": {**WORKING, "state": "D", "deploying": True},
        "log.activity": QUIET,
    },
    "a pause of ten minutes between polls": {
        "process.work": WORKING,
        "log.activity": {**QUIET, "quiet_seconds": 0.0},
    },
    "packets that vanish, at the last retry": {"log.activity": {**QUIET, "quiet_seconds": 410.0}},
    "2.x that has waited for days": {"process.agent": RUST, "log.activity": IDLE, "process.work": WORK},
    "2.x between two polls": {"process.agent": RUST, "log.activity": IDLE, "process.work": WORKING},
    "2.x that just started": {
        "process.agent": {**RUST, **NONE, "master_age": 2.0},
        "log.activity": IDLE,
    },
    "a fresh installation that was not started": {
        "process.agent": {**AGENT, **NONE, "running": False, "generation": "", "master_age": None},
        "log.activity": {**LOG, "exists": False, "age_seconds": None, "quiet_seconds": None},
    },
}


@pytest.mark.parametrize("answers", HEALTHY.values(), ids=HEALTHY)
@pytest.mark.parametrize("id_", ["agent-silent", "agent-log-off", "agent-log-deleted"])
def test_no_false_alarm(id_: str, answers: dict[str, Values]) -> None:
    """Not only no finding: the check has passed, nothing about it is open."""
    finding, outcome = judge(RULES[id_], {**WELL, **answers})

    assert (finding, outcome) == (None, Outcome.PASS)


STAMP = "2026-11-22T20:%02d:00 INFO  [codedeploy-agent(21)]: "
POLLED = '[Aws::CodeDeployCommand::Client %s %s retries] poll_host_command(host_identifier:"arn")  \n\n'
POLLS: dict[str, tuple[list[tuple[str, str]], State | None]] = {
    "regular": ([("200", "61.2 0"), ("200", "45.013 0")], None),
    "just below a hundred seconds": ([("200", "99.999 0")], None),
    "without a fraction": ([("200", "60 0")], None),
    "long": ([("200", "61.2 0"), ("200", "137.2 0")], State.ACTIVE),
    "very long": ([("200", "3601 2")], State.ACTIVE),
    "long, then regular": ([("200", "137.2 0"), ("200", "60.1 0")], State.RECOVERED),
    "regular, then long": ([("200", "60.1 0"), ("200", "100.0 0")], State.ACTIVE),
    "long, and failed": ([("0", "320.4 3")], None),
}


@pytest.mark.parametrize("filler", [0, 2000], ids=["a paste", "a log through the gate"])
@pytest.mark.parametrize(("polls", "state"), POLLS.values(), ids=POLLS)
def test_stalled(
    scan: Callable[[str], dict[str, Finding]], polls: list[tuple[str, str]], state: State | None, filler: int
) -> None:
    """A healthy line but for one number, which the gate of a large log must let through."""
    before = (STAMP % 0 + POLLED % ("200", "60.1 0")) * filler
    text = "".join(STAMP % number + POLLED % poll for number, poll in enumerate(polls, 1))
    finding = scan(before + text).get("agent-stalled")

    assert (finding and finding.state) == state
