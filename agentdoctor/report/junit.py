"""The report as JUnit's XML, in the flavour of Jenkins, which GitLab, GitHub's actions and others read too.

Lossy: there is no warning and no life of a finding in it. It fails when the exit code is not 0, and only then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from xml.etree import ElementTree as ET

from agentdoctor import __version__
from agentdoctor.model import Check, Finding, Outcome, State
from agentdoctor.report import Run, fill, headline
from agentdoctor.report.suites import clean, document, element, result, seconds, shortened
from agentdoctor.report.text import block
from agentdoctor.scrub import line


def render(run: Run) -> str:
    """One suite with a case for each check."""
    values = {"version": __version__, "exit_code": str(run.exit_code), "status": run.status, "headline": headline(run)}
    return document(_attributes(run), values, list(_cases(run)))


def _attributes(run: Run) -> dict[str, str]:
    host = run.host.get("name") or run.host.get("instance_id")
    return {
        "name": f"agentdoctor {run.mode}",
        # In UTC; the format has no room for a zone.
        "timestamp": datetime.fromtimestamp(run.started_at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
        "time": seconds(run.duration_ms),
        **({"hostname": line(str(host))} if host else {}),
    }


def _cases(run: Run) -> Iterator[ET.Element]:
    areas = {rule.id: rule.area for rule in run.rules}
    for check in run.checks:
        case = element("testcase", classname=areas[check.id], name=check.id, time=seconds(check.duration_ms))
        case.extend(_results(check, [finding for finding in run.findings if finding.rule.id == check.id], run))
        yield case
    if run.problems:  # no check failed for them, and still not all was looked at
        case = element("testcase", classname="agentdoctor", name="logs-read", time="0.000")
        case.append(result("error", "unknown", run.problems[0], "\n".join(run.problems)))
        yield case


def _results(check: Check, findings: Sequence[Finding], run: Run) -> Iterator[ET.Element]:
    """What became of a check; nothing if it passed. At most one result: readers show the first."""
    active = [finding for finding in findings if finding.state is State.ACTIVE]
    failed = [finding for finding in active if finding.severity.rank >= run.fail_on.rank]
    quiet = [finding for finding in findings if finding.state is State.QUIET]
    told = failed or quiet
    if told:
        kind = "failure" if failed else "error"
        yield result(kind, told[0].severity.value, _headline(told, run), _text(told, run))
    elif check.outcome in (Outcome.UNKNOWN, Outcome.ERROR):
        yield result("error", check.outcome.value, check.reason, check.reason)
    elif check.outcome is Outcome.SKIP:
        yield element("skipped", message=shortened(check.reason))
    rest = [finding for finding in findings if finding not in told]
    if rest:
        out = element("system-out")
        out.text = clean(_text(rest, run))
        yield out


def _headline(findings: Sequence[Finding], run: Run) -> str:
    first, more = findings[0], len(findings) - 1
    return fill(first.rule.title, first, run.host) + (f", and {more} more" if more else "")


def _text(findings: Sequence[Finding], run: Run) -> str:
    return "\n\n".join(f"{finding.state.value}:\n{block(finding, run)}" for finding in findings)
