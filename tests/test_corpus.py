"""Whole logs of the real agent, and of real users, with what must be found in them."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agentdoctor import runs
from agentdoctor.host import Host
from agentdoctor.model import Finding, Rule, Severity, State
from conftest import CORPUS, SHARED, shared

HOLDS = (State.ACTIVE, State.QUIET)
LOGS = (
    "var/log/aws/codedeploy-agent/codedeploy-agent.[0-9]*.log",
    "var/log/aws/codedeploy-agent/codedeploy-agent.log",
    "opt/codedeploy-agent/deployment-root/deployment-logs/codedeploy-agent-deployments.log*",
    "opt/codedeploy-agent/deployment-root/*/*/logs/scripts.log",
    "tmp/codedeploy-agent.update.log",
    "console.log",
)


def rows(path: Path) -> list[dict[str, str]]:
    """A table of tab-separated values without quoting."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def ids(text: str) -> set[str]:
    """A cell: comma-separated ids, or - for none."""
    return {part for part in text.split(",") if part not in ("", "-")}


def in_state(findings: Sequence[Finding], *states: State) -> set[str]:
    """The ids of the findings in these states."""
    return {finding.rule.id for finding in findings if finding.state in states}


def scan_tree(tree: Path, rules: Sequence[Rule]) -> Sequence[Finding]:
    """What scan finds in all logs of a tree."""
    files = [str(path) for pattern in LOGS for path in sorted(tree.glob(pattern)) if path.stat().st_size]
    return runs.scan(rules, files).findings


def check_tree(tree: Path, rules: Sequence[Rule]) -> Sequence[Finding]:
    """What check finds in a tree."""
    return runs.check(rules, Host.snapshot(str(tree))).findings


def judge(findings: Sequence[Finding], row: dict[str, str], any_of: str, known: set[str]) -> Iterator[str]:
    """What is wrong with the findings of one capture. What is wanted of it counts once all its causes are rules."""
    active = in_state(findings, State.ACTIVE)
    over = ids(row["recovered"])
    wanted = ids(row[any_of])
    covered = ids(row["scan_any_of"]) <= known  # all the causes that the symptom may have
    reported = in_state(findings, *HOLDS, State.MASKED) | (in_state(findings, State.RECOVERED) & over)
    if wanted and covered and not over and not reported & wanted:
        yield f"none of {sorted(wanted)} is reported, but {sorted(reported) or 'nothing'}"
    if over & known and not in_state(findings, State.RECOVERED) & over:
        yield f"none of {sorted(over)} is reported as recovered"
    banned = ids(row["must_not"]) | over | (ids(row["consequence"]) if covered else set())
    if any_of == "root_any_of":
        banned |= ids(row["root_must_not"])
    if active & banned:
        yield f"{sorted(active & banned)} is active and must not be"
    if row["healthy"] == "yes":
        loud = {f.rule.id for f in findings if f.state in HOLDS and f.rule.severity is not Severity.INFO}
        if loud - ids(row["may"]):
            yield f"{sorted(loud)} is active on a healthy host"


OWN = {row["scenario"]: row for row in rows(CORPUS / "expected.tsv")}


@pytest.mark.parametrize("name", OWN)
def test_own_captures(name: str, rules: tuple[Rule, ...]) -> None:
    """Trees that the real agent left behind."""
    known = {rule.id for rule in rules}
    tree = CORPUS / name

    assert not list(judge(scan_tree(tree, rules), OWN[name], "scan_any_of", known))
    assert not list(judge(check_tree(tree, rules), OWN[name], "root_any_of", known))


COLLECTED = rows(SHARED / "captures.tsv") if (SHARED / "captures.tsv").exists() else []


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All captures, unpacked."""
    target = tmp_path_factory.mktemp("captures")
    with tarfile.open(shared("captures.tar.gz")) as archive:
        archive.extractall(target, filter="tar")
    return target / "captures"


@pytest.mark.skipif(not COLLECTED, reason="the collected captures are not here")
@pytest.mark.parametrize("row", COLLECTED, ids=lambda row: row["scenario"])
def test_collected_captures(row: dict[str, str], captures: Path, rules: tuple[Rule, ...]) -> None:
    """Every capture, whether or not a rule covers it: a false finding is wrong in all of them."""
    known = {rule.id for rule in rules}
    tree = captures / row["scenario"]

    assert not list(judge(scan_tree(tree, rules), row, "scan_any_of", known))
    assert not list(judge(check_tree(tree, rules), row, "root_any_of", known))


CASES = rows(SHARED / "cases/expected.tsv") if (SHARED / "cases/expected.tsv").exists() else []
HEALTHY = rows(SHARED / "cases/healthy.tsv") if (SHARED / "cases/healthy.tsv").exists() else []


@pytest.mark.skipif(not CASES, reason="the collected cases are not here")
@pytest.mark.parametrize("row", CASES, ids=lambda row: row["case"])
def test_collected_cases(row: dict[str, str], rules: tuple[Rule, ...]) -> None:
    """What users posted: one of the right ids where all of them are rules by now, none of the wrong ones."""
    findings = runs.scan(rules, [str(shared(f"cases/logs/{row['case']}.log"))]).findings
    reported = in_state(findings, *HOLDS)
    seen = reported | (in_state(findings, State.RECOVERED) if row["state"] == "either" else set())
    wanted = ids(row["any_of"])

    assert not in_state(findings, State.ACTIVE) & ids(row["must_not"])
    if wanted and wanted <= {rule.id for rule in rules} and row["confidence"] != "low":
        assert seen & wanted


@pytest.mark.skipif(not HEALTHY, reason="the collected cases are not here")
@pytest.mark.parametrize("row", HEALTHY, ids=lambda row: row["name"])
def test_healthy_logs_are_silent(row: dict[str, str], rules: tuple[Rule, ...]) -> None:
    """A false alarm is worse than a missed one: it is the last that is believed."""
    findings = runs.scan(rules, [str(shared(f"cases/healthy/{row['name']}.log"))]).findings

    assert not {f.rule.id for f in findings if f.state in HOLDS and f.rule.severity is not Severity.INFO}
