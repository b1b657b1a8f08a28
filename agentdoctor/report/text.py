"""The report for people: what broke, is that proven, what do I type. ASCII but for what logs hold."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from agentdoctor.model import Check, Finding, Outcome, Proof, Role, Severity, State
from agentdoctor.report import Run, command, fill, headline, risk, steps, who
from agentdoctor.scrub import line

WIDTH = 80
_INDENT = " " * 12
_UNEXPLAINED_SHOWN = 3
_MARKS = {State.ACTIVE: "X", State.QUIET: "~", State.MASKED: "-", State.RECOVERED: "v", State.SUPPRESSED: "s"}
COLOURS = {"critical": "\x1b[1;31m", "warning": "\x1b[1;33m", "info": "\x1b[1;36m", "ok": "\x1b[1;32m"}


def render(run: Run, colour: bool = False, verbose: bool = False) -> str:
    """The whole screen. Prose is wrapped; commands are not, so that they can be pasted."""
    shown = [f for f in run.findings if f.state in (State.ACTIVE, State.QUIET) or (verbose and f.state is State.MASKED)]
    parts = [_first_line(run, colour)]
    parts += [block(finding, run) for finding in shown]
    over = [finding for finding in run.findings if finding.state is State.RECOVERED]
    if over:
        parts.append("\n".join(_over(over, run)))
    hushed = [finding for finding in run.findings if finding.state is State.SUPPRESSED]
    if hushed:
        parts.append("\n".join(_silenced(hushed, run)))
    if run.unexplained:
        parts.append("\n".join(_unexplained(run)))
    if run.checks:
        parts.append("\n".join(_checks(run)))
    title = f"== {run.title} ==\n\n" if run.title else ""
    return title + "\n\n".join(parts) + "\n"


def _first_line(run: Run, colour: bool) -> str:
    status = run.status.upper()
    if colour:
        status = f"{COLOURS.get(run.status, '')}{status}\x1b[0m"
    host = who(run)
    return f"{status} {host + ': ' if host else ''}{headline(run)}"


def block(finding: Finding, run: Run) -> str:
    """All that people are told about one finding, in the lines of the screen."""
    return "\n".join(_finding(finding, run))


def _finding(finding: Finding, run: Run) -> Iterator[str]:
    rule = finding.rule
    verdict = finding.verdict.value.replace("_", " ").upper()
    name = f" {_MARKS[finding.state]} {rule.id}"
    title = fill(rule.title, finding, run.host)
    row = f"{name}   {title}"
    yield f"{row:<{WIDTH - len(verdict)}}{verdict}" if len(row) + len(verdict) < WIDTH else f"{row}   {verdict}"
    yield from labelled("since", [_since(finding, run.started_at)])
    if finding.subject and finding.subject not in title:
        yield from labelled("what", [line(finding.subject)])
    if finding.deployment:
        yield from labelled("where", [_deployment(finding)])
    yield from labelled("why", [fill(rule.cause, finding, run.host)])
    yield from labelled("seen", list(dict.fromkeys(_proof(proof) for proof in finding.evidence)))
    if finding.siblings:
        yield from labelled("or", [", ".join(finding.siblings) + ": the log says the same for these"])
    if finding.ruled_out:
        yield from labelled("not", [f"{a.id}: {line(a.because)}" for a in finding.ruled_out])
    if finding.state is State.QUIET:
        yield from labelled("now", ["the host no longer shows it; nothing has proved yet that it is over"])
    if finding.masked_by:
        yield from labelled("root", [f"a consequence of {finding.masked_by}"])
    yield from _fix(finding, run)
    yield from labelled("more", [f"agentdoctor explain {rule.id}"])
    if run.mode == "check":
        yield from labelled("prove", [f"sudo agentdoctor verify {rule.id}"])


def labelled(label: str, texts: Sequence[str]) -> Iterator[str]:
    """Texts below each other, the first behind a label."""
    for number, text in enumerate(texts):
        yield _wrapped(f"     {label if number == 0 else '':<7}", text, 12)


def _wrapped(prefix: str, text: str, indent: int) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _since(finding: Finding, now: float) -> str:
    count = f"seen {finding.count}x" if finding.count > 1 else "seen once"
    if finding.first_seen is None:
        return f"unknown (the text has no time), {count}"
    if not any(proof.role is Role.SYMPTOM for proof in finding.evidence):
        return "now; the host shows it"
    last = f", last {clock(finding.last_seen, now)}" if finding.last_seen != finding.first_seen else ""
    return f"{clock(finding.first_seen, now)}, {count}{last}"


def clock(at: float | None, now: float) -> str:
    """Local time for people; with the date unless it is of the same day."""
    if at is None:
        return "?"
    when = datetime.fromtimestamp(at).astimezone()
    same_day = when.date() == datetime.fromtimestamp(now).astimezone().date()
    return when.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")


def _deployment(finding: Finding) -> str:
    parts = finding.deployment
    named = (("deployment", parts.id), ("event", parts.event), ("script", parts.script))
    return ", ".join(f"{name} {line(value)}" for name, value in named if value) or f"group {line(parts.group_id)}"


# Ruby names the class that speaks; its last part is as good and leaves room for what it says.
_SPEAKER = re.compile(r"\bInstanceAgent::(?:\w+::)*(?=[A-Z]\w+)")


def _proof(proof: Proof) -> str:
    text = line(proof.text)
    if proof.role is Role.SYMPTOM:
        text = _SPEAKER.sub("", text)
        short = text if len(text) <= 150 else text[:147] + "..."
        where = f" ({line(proof.path.rpartition('/')[2])})" if proof.path and proof.path != "-" else ""
        return f'log: "{short}"{where}'
    if proof.name == "stderr":
        return f"stderr: {text[:200]}"
    return f"{proof.source}: {text}"


def _fix(finding: Finding, run: Run) -> Iterator[str]:
    host = run.host
    for number, step in enumerate(steps(finding, host), 1):
        label = "fix" if number == 1 else ""
        notes = [step.where] + ([f"{step.agents[0]} only"] if len(step.agents) == 1 else [])
        notes += filter(None, [risk.note(step, run.restart, run.mode == "check")])
        text = f"{number} {fill(step.text, finding, host)} [{', '.join(notes)}]"
        yield _wrapped(f"     {label:<7}", text, 14)
        for row in command(step.command, finding, host).splitlines():
            yield f"              {row}"
        if step.undo:
            yield _wrapped(_INDENT + "  undo: ", command(step.undo, finding, host), 20)


def _over(findings: Sequence[Finding], run: Run) -> Iterator[str]:
    yield " over:"
    for finding in findings:
        until = f" until {clock(finding.recovered_at, run.started_at)}" if finding.recovered_at else ""
        when = f"{clock(finding.first_seen, run.started_at)}{until}, {finding.count}x"
        yield f"   {finding.rule.id:<30} {when}"


def _silenced(findings: Sequence[Finding], run: Run) -> Iterator[str]:
    yield " silenced:"
    for finding in findings:
        silence = run.silences.get(finding.rule.id)
        until = f" until {clock(silence.until, run.started_at)}: {line(silence.reason)}" if silence else ""
        yield f"   {finding.rule.id:<30}{until}"


def _unexplained(run: Run) -> Iterator[str]:
    yield " errors in the logs that no rule explains:"
    for entry in run.unexplained[:_UNEXPLAINED_SHOWN]:
        text = line(entry.template)
        yield f"   {entry.count:>4}x  {text if len(text) < 68 else text[:65] + '...'}"
    if len(run.unexplained) > _UNEXPLAINED_SHOWN:
        yield f"   and {len(run.unexplained) - _UNEXPLAINED_SHOWN} more kinds (--format json has them all)"


def _checks(run: Run) -> Iterator[str]:
    by = {outcome: [c for c in run.checks if c.outcome is outcome] for outcome in Outcome}
    severities = [finding.severity for finding in run.active]
    ok = len(by[Outcome.PASS])
    text = (
        f"{len(run.checks)} checks: {ok} ok, {severities.count(Severity.CRITICAL)} critical,"
        f" {severities.count(Severity.WARNING)} warnings, {len(by[Outcome.SKIP])} skipped"
    )
    dark: list[Check] = by[Outcome.UNKNOWN] + by[Outcome.ERROR]
    if dark:
        text += f", {len(dark)} not checked:"
    yield _wrapped(" ", text, 1)
    for note in run.notes:
        yield _wrapped("   ", line(note), 5)
    for check in dark:
        yield _wrapped("   ", f"{check.id}: {line(check.reason)}", 5)
