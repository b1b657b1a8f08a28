"""Is it fixed: records and evidence in, an answer with its exit code out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from test_doctor import BROKEN, WELL, asking, record, rule

from agentdoctor.doctor import Doctor
from agentdoctor.model import Record, Rule
from agentdoctor.verify import Answer, Proven, verify, worst

LOGGED = rule("it-broke")
PROVEN = rule("it-broke", confirm="{disk.space: {free_bytes: 0}}")
STANDING = rule("it-broke", confirm="{disk.space: {free_bytes: 0}}", standing="true", recovery="{evidence: true}")
BARE = rule("it-broke", confirm="{disk.space: {free_bytes: 0}}", standing="true", signature="")
SIBLING = rule("it-broke-late", confirm="{unit.state: {active_state: failed}}")
ROOT = rule("root-broke", confirm="{unit.state: {active_state: failed}}", standing="true", signature="")
BEHIND = rule("it-broke", confirm="{disk.space: {free_bytes: 0}}", depends_on="[root-broke]")

FULL: Mapping[str, Any] = {"disk.space": {"free_bytes": 0}}
ROOM: Mapping[str, Any] = {"disk.space": {"free_bytes": 9}}
DARK: Mapping[str, Any] = {"disk.space": "no answer"}
FAILED: Mapping[str, Any] = {"unit.state": {"active_state": "failed"}}

CASES = {
    "the log says it is over": ([LOGGED], [record(BROKEN), record(WELL, 200.0)], {}, Proven.FIXED),
    "silence since": ([LOGGED], [record(BROKEN)], {}, Proven.NOT_YET),
    "an older line of health": ([LOGGED], [record(WELL, 50.0), record(BROKEN)], {}, Proven.NOT_YET),
    "again after it was over": (
        [LOGGED],
        [record(BROKEN), record(WELL, 200.0), record(BROKEN, 300.0)],
        {},
        Proven.NOT_YET,
    ),
    "never seen": ([LOGGED], [], {}, Proven.NOT_YET),
    "the host shows it": ([PROVEN], [record(BROKEN)], FULL, Proven.BROKEN),
    "the host shows it no more": ([PROVEN], [record(BROKEN)], ROOM, Proven.NOT_YET),
    "over by the log, whatever the host": ([PROVEN], [record(BROKEN), record(WELL, 200.0)], ROOM, Proven.FIXED),
    "the host cannot be asked": ([PROVEN], [record(BROKEN)], DARK, Proven.UNKNOWN),
    "evidence is all it takes": ([STANDING], [record(BROKEN)], ROOM, Proven.FIXED),
    "evidence of the opposite": ([STANDING], [record(BROKEN), record(WELL, 200.0)], FULL, Proven.BROKEN),
    "a check of the host alone": ([BARE], [], ROOM, Proven.FIXED),
    "such a check that fails": ([BARE], [], FULL, Proven.BROKEN),
    "such a check that could not look": ([BARE], [], DARK, Proven.UNKNOWN),
    "another cause of the same line": ([PROVEN, SIBLING], [record(BROKEN)], {**ROOM, **FAILED}, Proven.NOT_YET),
    "over before anybody asked which cause it was": (
        [SIBLING, PROVEN],
        [record(BROKEN), record(WELL, 200.0)],
        {**ROOM, **FAILED},
        Proven.FIXED,
    ),
    "hidden by its root cause": ([BEHIND, ROOT], [record(BROKEN)], {**FULL, **FAILED}, Proven.BROKEN),
}


def answer(rules: list[Rule], records: list[Record], host: Mapping[str, Any]) -> Answer:
    """What verify says of the first rule."""
    doctor = Doctor(rules)
    for each in records:
        doctor.observe(each)
    findings = doctor.findings(1000.0, asking(host))
    return verify(rules[0], findings, doctor.checks(findings, {"agent"}, asking(host)))


@pytest.mark.parametrize(("rules", "records", "host", "proven"), CASES.values(), ids=CASES)
def test_only_evidence_is_a_fix(
    rules: list[Rule], records: list[Record], host: Mapping[str, Any], proven: Proven
) -> None:
    """Positive evidence that is newer than the failure, or no fix."""
    given = answer(rules, records, host)

    assert given.proven is proven
    assert all(given.because)
    assert given.because


def test_a_log_that_could_not_be_read() -> None:
    """What the host shows alone proves nothing of a failure that may stand in there."""
    doctor = Doctor([STANDING, BARE])
    rows = doctor.checks([], {"agent"}, asking(ROOM))
    problem = "codedeploy-agent.log: Permission denied"

    assert verify(STANDING, [], rows, [problem]).proven is Proven.UNKNOWN
    assert verify(BARE, [], rows, [problem]).proven is Proven.FIXED


def test_what_shows_it_is_quoted() -> None:
    """The line that ended it, with its time."""
    given = answer([LOGGED], [record(BROKEN), record(WELL, 200.0)], {})

    assert (given.because, given.at) == ((WELL,), 200.0)


ORDER = {
    "one fixed": ([Proven.FIXED], 0),
    "one missing": ([Proven.FIXED, Proven.NOT_YET], 1),
    "one unknown": ([Proven.FIXED, Proven.NOT_YET, Proven.UNKNOWN], 3),
    "one broken": ([Proven.UNKNOWN, Proven.BROKEN, Proven.FIXED], 2),
}


@pytest.mark.parametrize(("proven", "code"), ORDER.values(), ids=ORDER)
def test_the_worst_answer_counts(proven: list[Proven], code: int) -> None:
    """Broken before unknown before not yet before fixed."""
    assert worst([Answer("a-rule", each, ()) for each in proven]) == code
