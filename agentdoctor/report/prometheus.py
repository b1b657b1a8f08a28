"""The report as metrics.

Labels hold names of ours alone: no path, host or deployment, whose values would grow without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from agentdoctor import __version__
from agentdoctor.model import Finding, Outcome
from agentdoctor.report import Run, fingerprint_rules
from agentdoctor.report.metrics import Family, Samples, written


def render(run: Run) -> str:
    """All metrics."""
    return written(_families(run))


def _families(run: Run) -> Iterator[Family]:
    build = {"version": __version__, "rules_sha256": fingerprint_rules(run.rules)}
    outcomes = Counter(check.outcome for check in run.checks)
    yield "build_info", "The program and its rules; always 1.", [(build, 1)]
    yield "exit_code", "0 ok, 1 warning, 2 critical, 3 could not tell.", [({}, run.exit_code)]
    yield "complete", "1 if everything that matters could be looked at.", [({}, int(run.complete))]
    yield "finding", "Findings with these labels, one for each thing that they are about.", _findings(run)
    yield "checks", "Checks by outcome.", [({"outcome": one.value}, outcomes[one]) for one in Outcome]
    yield "unexplained_errors", "Errors in the logs that no rule explains.", [({}, _unexplained(run))]
    yield "last_run_timestamp_seconds", "When the run began, since the epoch.", [({}, run.started_at)]
    yield "run_duration_seconds", "How long the run took.", [({}, run.duration_ms / 1000)]


def _findings(run: Run) -> Samples:
    """Two findings of one rule differ in what they are about, which is no label: they are counted."""
    return [(dict(labels), count) for labels, count in Counter(map(_labels, run.findings)).items()]


def _labels(finding: Finding) -> tuple[tuple[str, str], ...]:
    values = (finding.rule.id, finding.severity.value, finding.verdict.value, finding.state.value)
    return tuple(zip(("id", "severity", "verdict", "state"), values, strict=True))


def _unexplained(run: Run) -> int:
    return sum(entry.count for entry in run.unexplained)
