"""The report as JUnit's XML, in the flavour of Jenkins, which GitLab, GitHub's actions and others read too.

Lossy: there is no warning and no life of a finding in it. It fails when the exit code is not 0, and only then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from xml.etree import ElementTree as ET

from agentdoctor import __version__
from agentdoctor.model import Check, Finding, Outcome, State
from agentdoctor.report import Run, fill, headline
from agentdoctor.report.text import block
from agentdoctor.scrub import cut, line, scrub

_MESSAGE_LIMIT = 300  # characters; lists show it in one line
# All that XML 1.0 has no way to write (section 2.2, Char), not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(run: Run) -> str:
    """One suite with a case for each check. ASCII: what else there is is escaped, whatever stdout's encoding."""
    cases = list(_cases(run))
    suite = _element("testsuite", **_attributes(run), **_counts(cases))
    suite.append(_properties(run))
    suite.extend(cases)
    suites = _element("testsuites", name="agentdoctor", **_counts(cases))
    suites.append(suite)
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _attributes(run: Run) -> dict[str, str]:
    host = run.host.get("name") or run.host.get("instance_id")
    return {
        "name": f"agentdoctor {run.mode}",
        # In UTC; the format has no room for a zone.
        "timestamp": datetime.fromtimestamp(run.started_at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
        "time": _seconds(run.duration_ms),
        **({"hostname": line(str(host))} if host else {}),
    }


def _counts(cases: Sequence[ET.Element]) -> dict[str, str]:
    names = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {name: sum(case.find(tag) is not None for case in cases) for name, tag in names.items()}
    return {"tests": str(len(cases)), **{name: str(count) for name, count in counts.items()}}


def _properties(run: Run) -> ET.Element:
    values = {"version": __version__, "exit_code": str(run.exit_code), "status": run.status, "headline": headline(run)}
    properties = _element("properties")
    properties.extend(_element("property", name=name, value=cut(value, 1000)) for name, value in values.items())
    return properties


def _cases(run: Run) -> Iterator[ET.Element]:
    areas = {rule.id: rule.area for rule in run.rules}
    for check in run.checks:
        case = _element("testcase", classname=areas[check.id], name=check.id, time=_seconds(check.duration_ms))
        case.extend(_results(check, [finding for finding in run.findings if finding.rule.id == check.id], run))
        yield case
    if run.problems:  # no check failed for them, and still not all was looked at
        case = _element("testcase", classname="agentdoctor", name="logs-read", time="0.000")
        case.append(_result("error", "unknown", run.problems[0], "\n".join(run.problems)))
        yield case


def _results(check: Check, findings: Sequence[Finding], run: Run) -> Iterator[ET.Element]:
    """What became of a check; nothing if it passed. At most one result: readers show the first."""
    active = [finding for finding in findings if finding.state is State.ACTIVE]
    failed = [finding for finding in active if finding.severity.rank >= run.fail_on.rank]
    quiet = [finding for finding in findings if finding.state is State.QUIET]
    told = failed or quiet
    if told:
        kind = "failure" if failed else "error"
        yield _result(kind, told[0].severity.value, _headline(told, run), _text(told, run))
    elif check.outcome in (Outcome.UNKNOWN, Outcome.ERROR):
        yield _result("error", check.outcome.value, check.reason, check.reason)
    elif check.outcome is Outcome.SKIP:
        yield _element("skipped", message=_message(check.reason))
    rest = [finding for finding in findings if finding not in told]
    if rest:
        out = _element("system-out")
        out.text = _clean(_text(rest, run))
        yield out


def _headline(findings: Sequence[Finding], run: Run) -> str:
    first, more = findings[0], len(findings) - 1
    return fill(first.rule.title, first, run.host) + (f", and {more} more" if more else "")


def _text(findings: Sequence[Finding], run: Run) -> str:
    return "\n\n".join(f"{finding.state.value}:\n{block(finding, run)}" for finding in findings)


def _result(tag: str, type_: str, message: str, text: str) -> ET.Element:
    result = _element(tag, type=type_, message=_message(message))
    result.text = _clean(scrub(text))
    return result


def _message(text: str) -> str:
    return cut(line(text), _MESSAGE_LIMIT)


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {name: _clean(value) for name, value in attributes.items()})


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"
