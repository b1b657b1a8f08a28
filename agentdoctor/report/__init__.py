"""Reports: what a run found, as one value that every format is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agentdoctor import __version__
from agentdoctor.digests import hexadecimal, sha256
from agentdoctor.host import iso
from agentdoctor.model import Check, Finding, Outcome, Proof, Rule, Severity, Silence, State, Step, Unexplained
from agentdoctor.report import risk
from agentdoctor.scrub import line, safe, scrub

SCHEMA = "agentdoctor.report/1"


@dataclass(frozen=True)
class Run:
    """One run of check or scan: what was asked, and what was found."""

    mode: str  # check, scan
    started_at: float  # seconds since the epoch
    duration_ms: float
    findings: Sequence[Finding]
    checks: Sequence[Check] = ()
    unexplained: Sequence[Unexplained] = ()
    host: Mapping[str, Any] = field(default_factory=dict)  # instance_id, region, os, name, agent{kind, version}
    rules: Sequence[Rule] = ()
    problems: Sequence[str] = ()  # of our own: logs that are there and could not be read
    notes: Sequence[str] = ()  # what was left out without harm to the verdicts
    fail_on: Severity = Severity.WARNING
    title: str = ""  # said above the first line: "the embedded incident"
    silences: Mapping[str, Silence] = field(default_factory=dict)  # by rule: of what nobody wants to hear
    restart: Mapping[str, Any] | None = None  # what unit.restart_risk saw; None: not asked, or it could not look

    @property
    def active(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.state is State.ACTIVE]

    @property
    def complete(self) -> bool:
        """Whether everything that matters could be looked at."""
        return not self.problems and not any(c.outcome in (Outcome.UNKNOWN, Outcome.ERROR) for c in self.checks)

    @property
    def unsettled(self) -> bool:
        """Whether nothing can be called well: something could not be looked at, or failed for no known cause."""
        return not self.complete or any(finding.state is State.QUIET for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0 nothing at or above fail_on, 1 warning, 2 critical, 3 could not tell."""
        worst = max((finding.severity.rank for finding in self.active), default=-1)
        if worst >= self.fail_on.rank:
            return 2 if worst == Severity.CRITICAL.rank else 1
        return 3 if self.unsettled else 0

    @property
    def status(self) -> str:
        """critical, warning, info, ok or unknown."""
        if self.active:
            return max((finding.severity for finding in self.active), key=lambda s: s.rank).value
        return "unknown" if self.unsettled else "ok"


def silenced(run: Run, silences: Mapping[str, Silence]) -> Run:
    """The same run, with what nobody wants to hear of as suppressed."""
    findings = [
        replace(finding, state=State.SUPPRESSED)
        if finding.rule.id in silences and finding.state in (State.ACTIVE, State.QUIET)
        else finding
        for finding in run.findings
    ]
    return replace(run, findings=findings, silences=silences)


def headline(run: Run) -> str:
    """One line that says it all."""
    if run.active:
        first = run.active[0]
        more = len(run.active) - 1
        return fill(first.rule.title, first, run.host) + (f", and {more} more" if more else "")
    quiet = next((finding for finding in run.findings if finding.state is State.QUIET), None)
    if quiet:
        return f"{quiet.rule.id} was logged, and the host shows no known cause of it now"
    if not run.complete:
        return "nothing found, but not everything could be looked at"
    over = [finding for finding in run.findings if finding.state is State.RECOVERED]
    return f"nothing wrong now; {len(over)} finding(s) are over" if over else "nothing wrong"


_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def fill(text: str, finding: Finding, host: Mapping[str, Any]) -> str:
    """Prose with what the finding knows put in; what it does not know stays as an upper-case word."""
    values = _values(finding, host)
    return _PLACEHOLDER.sub(lambda match: line(values.get(match[1], "")) or match[1].upper(), text)


def command(text: str, finding: Finding, host: Mapping[str, Any]) -> str:
    """A command with what the finding knows put in, quoted for the shell: log text is data."""
    import shlex

    values = _values(finding, host)

    def put(match: re.Match[str]) -> str:
        value = line(values.get(match[1], ""))
        return shlex.quote(value) if value else match[1].upper()

    return _PLACEHOLDER.sub(put, text)


def _values(finding: Finding, host: Mapping[str, Any]) -> dict[str, str]:
    parts = finding.deployment
    known = {"region": host.get("region"), "instance_id": host.get("instance_id"), "deployment_id": parts.id}
    named = {"group_id": parts.group_id, "event": parts.event, "script": parts.script}
    for proof in finding.evidence:
        if isinstance(proof.actual, str):
            named[proof.name.rpartition(".")[2]] = proof.actual
    values = {key: str(value) for key, value in {**known, **named, **finding.details}.items() if value}
    if "code" in values:
        values["code_meaning"] = exit_meaning(values["code"])
    return values


_EXITS = {
    1: "a general error",
    2: "wrong use of a command, or a file that is not there",
    126: "a command that may not be executed",
    127: "a command that was not found",
    255: "an error of ssh or a value out of range",
}


def exit_meaning(code: str) -> str:
    """What an exit code of a shell script mostly means (bash(1), EXIT STATUS)."""
    import signal

    number = int(code) if code.lstrip("-").isdigit() else -1
    if number in _EXITS:
        return _EXITS[number]
    if 128 < number <= 128 + signal.SIGRTMAX:
        known = [one for one in signal.Signals if one.value == number - 128]
        return f"ended by {known[0].name if known else f'signal {number - 128}'}"
    return "the script's own"


def steps(finding: Finding, host: Mapping[str, Any]) -> list[Step]:
    """The remediation for this generation of the agent; for both when it is not known which."""
    kind = (host.get("agent") or {}).get("kind")
    return [step for step in finding.rule.remediation if not (kind and step.agents and kind not in step.agents)]


def document(run: Run) -> dict[str, Any]:
    """The report as plain values, of schema agentdoctor.report/1."""
    counts = {state.value: 0 for state in State}
    for finding in run.findings:
        counts[finding.state.value] += 1
    outcomes = {outcome.value: 0 for outcome in Outcome}
    for check in run.checks:
        outcomes[check.outcome.value] += 1
    return {
        "schema": SCHEMA,
        "tool": {"name": "agentdoctor", "version": __version__, "rules_sha256": fingerprint_rules(run.rules)},
        "run": {
            "mode": run.mode,
            "started_at": iso(run.started_at),
            "duration_ms": round(run.duration_ms, 1),
            "complete": run.complete,
        },
        "host": safe(run.host, line),  # a copied tree says it, which somebody else wrote
        "summary": {
            "status": run.status,
            "exit_code": run.exit_code,
            "headline": headline(run),
            "counts": counts,
            "checks": outcomes,
        },
        "findings": [_finding(finding, run) for finding in run.findings],
        "checks": [
            {"id": c.id, "outcome": c.outcome.value, "reason": scrub(c.reason), "duration_ms": c.duration_ms}
            for c in run.checks
        ],
        "unexplained": [
            {"template": line(u.template), "count": u.count, "first_at": iso(u.first_at), "last_at": iso(u.last_at)}
            for u in run.unexplained
        ],
        "self": {"problems": [line(x) for x in run.problems], "notes": [line(x) for x in run.notes]},
    }


def who(run: Run) -> str:
    """The names of the host, as far as they are known."""
    return " ".join(line(str(run.host[name])) for name in ("name", "instance_id") if run.host.get(name))


def fingerprint_rules(rules: Sequence[Rule]) -> str:
    """A digest of the rules in use: equal on two hosts when they judge alike."""
    digest = sha256()
    for rule in sorted(rules, key=lambda rule: rule.id):
        digest.update(f"{rule.id}\0{rule.signature}\0{rule.confirm}\0{rule.depends_on}\0{rule.recovery}\n".encode())
    return str(digest.hexdigest())


def _digest(*parts: str) -> str:
    return hexadecimal(*parts)[:16]


_DEPLOYMENT = ("id", "group_id", "event", "script")
_HOST_PARTS = re.compile(r"\bi-[0-9a-f]{8,17}\b|\bip-\d+-\d+-\d+-\d+\b|\bd-[A-Z0-9]{9}\b|\d+(?:\.\d+){3}")


def _finding(finding: Finding, run: Run) -> dict[str, Any]:
    rule, parts, host = finding.rule, finding.deployment, run.host
    subject = line(finding.subject)
    return {
        "id": rule.id,
        "fingerprint": _digest(rule.id, subject, str(host.get("instance_id") or host.get("name") or "")),
        "cohort": _digest(rule.id, _HOST_PARTS.sub("*", subject)),
        "state": finding.state.value,
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "title": fill(rule.title, finding, host),
        "cause": fill(rule.cause, finding, host),
        "subject": {"kind": rule.subject, "name": subject} if subject else None,
        "deployment": {name: line(getattr(parts, name)) for name in _DEPLOYMENT} if parts else None,
        "first_seen": iso(finding.first_seen),
        "last_seen": iso(finding.last_seen),
        "recovered_at": iso(finding.recovered_at),
        "count": finding.count,
        "evidence": [_proof(proof) for proof in finding.evidence],
        "ruled_out": [{"id": a.id, "title": a.title, "because": line(a.because)} for a in finding.ruled_out],
        "siblings": list(finding.siblings),
        "masked_by": finding.masked_by or None,
        "suppression": _suppression(finding, run),
        "remediation": [_step(step, finding, run) for step in steps(finding, host)],
        "verify": f"sudo agentdoctor verify {rule.id}",
        "docs": rule.docs,
    }


def _suppression(finding: Finding, run: Run) -> dict[str, Any] | None:
    silence = run.silences.get(finding.rule.id)
    return {"reason": line(silence.reason), "until": iso(silence.until)} if silence else None


def _proof(proof: Proof) -> dict[str, Any]:
    locator = {"path": scrub(proof.path), "offset": proof.offset} if proof.path else None
    return {
        "role": proof.role.value,
        "source": proof.source,
        "at": iso(proof.at),
        "name": proof.name or None,
        "expected": safe(proof.expected),
        "actual": safe(proof.actual),
        "text": scrub(proof.text),
        "locator": locator,
    }


def _step(step: Step, finding: Finding, run: Run) -> dict[str, Any]:
    text = command(step.command, finding, run.host)
    return {
        "text": fill(step.text, finding, run.host),
        "where": step.where,
        "command": text or None,
        "needs_root": "sudo " in text,
        "risk": risk.level(step, run.restart),
        "risk_note": risk.note(step, run.restart, run.mode == "check") or None,
        "undo": command(step.undo, finding, run.host) or None,
    }
