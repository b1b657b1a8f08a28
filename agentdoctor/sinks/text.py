"""What people read of a letter: a subject, a mail that fits a phone, a line for a text message. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from agentdoctor.outbox import Letter, is_late
from agentdoctor.scrub import cut
from agentdoctor.sinks.clean import clean, defanged, one_line, typed

SUBJECT_LIMIT = 99  # characters; SNS takes fewer than 100
SMS_LIMIT = 140  # one part of a text message
MAIL_LIMIT = 16_000  # characters; longer than any phone's patience, shorter than what mail programs fold away
_LINE_LIMIT = 500
_EXCERPT_LIMIT = 2000
_EXCERPT_LINES = 10
_COMMAND_LIMIT = 4000
_ROWS = 8

_SEVERITIES = ("critical", "warning", "info")
_VERDICTS = ("confirmed", "likely", "unverified", "ruled_out")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,12}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_DOCS = re.compile(r"https://[\w./#%-]{1,300}")

Finding = Mapping[str, Any]


def subject(letter: Letter, host: Mapping[str, Any], late: bool) -> str:
    """At most 99 printable ASCII characters, of words and names checked by their form: never of a log's text."""
    words = f"{headword(letter)}: {rule_id(letter)} on {who(letter, host)}"
    return cut(words, SUBJECT_LIMIT - 7) + " (late)" if late else cut(words, SUBJECT_LIMIT)


def sms(letter: Letter, finding: Finding, host: Mapping[str, Any], late: bool) -> str:
    """One part of a text message, of the same words."""
    verdict = finding.get("verdict")
    proven = f", {str(verdict).replace('_', ' ')}" if verdict in _VERDICTS and letter.event != "recovered" else ""
    return cut(f"{subject(letter, host, late)}{proven}. sudo agentdoctor status", SMS_LIMIT)


def mail(letter: Letter, finding: Finding, host: Mapping[str, Any], now: float) -> tuple[str, bool]:
    """The whole text, and whether something had to be left out. Whole blocks are: half a command is worse than none."""
    kept: list[str] = []
    room = MAIL_LIMIT
    for block in _blocks(letter, finding, host, now):
        room -= len(block) + 2
        if room < 0:
            return "\n\n".join([*kept, "(shortened; sudo agentdoctor status has the rest)"]), True
        kept.append(block)
    return "\n\n".join(kept), False


def moment(at: float) -> str:
    """A time for people, who may be anywhere; what is no time (a clock gone mad) is said so."""
    try:
        return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "an unknown time"


def rule_id(letter: Letter) -> str:
    """The id of the rule, if it has the form of one."""
    return letter.rule if len(letter.rule) <= 60 and _ID.fullmatch(letter.rule) else "unknown-rule"


def who(letter: Letter, host: Mapping[str, Any]) -> str:
    """The names of the host that have the form of one."""
    names = (letter.instance_id, str(host.get("name") or ""))
    return " ".join(dict.fromkeys(name for name in names if _NAME.fullmatch(name))) or "unknown-host"


def headword(letter: Letter) -> str:
    """What it is, in capitals: how bad, or that it is over."""
    if letter.event in ("recovered", "test", "digest"):
        return letter.event.upper()
    word = letter.severity.upper() if letter.severity in _SEVERITIES else "ALERT"
    return f"{word} (escalated)" if letter.event == "escalated" else word


def _blocks(letter: Letter, finding: Finding, host: Mapping[str, Any], now: float) -> Iterator[str]:
    yield f"{headword(letter)}: {_text(finding, 'title') or rule_id(letter)}"
    yield "\n".join(_facts(letter, finding, host, now))
    if letter.event == "digest":
        yield from _listed("Not told one by one", _counted(finding), most=30)
        yield "See: sudo agentdoctor status"
    elif letter.event == "recovered":
        yield from _listed("Shown by", _shown(finding) or ["the record does not say; sudo agentdoctor status"])
    else:
        yield from _why(finding)
        yield from _fix(finding)
    if letter.event in ("opened", "escalated"):
        yield f"Verify:\n   {typed(whole_command(finding.get('verify')) or 'sudo agentdoctor check')}"
    yield "\n".join(_foot(letter, finding))


def _facts(letter: Letter, finding: Finding, host: Mapping[str, Any], now: float) -> Iterator[str]:
    region = str(host.get("region") or "")
    yield f"Where: {defanged(who(letter, host))}" + (f", {region}" if _ID.fullmatch(region) else "")
    if letter.deployment_group:
        yield f"Deployment group: {_said(letter.deployment_group)}"
    deployment = finding.get("deployment")
    if isinstance(deployment, Mapping):
        named = [f"{name} {_text(deployment, name)}" for name in ("id", "event", "script") if deployment.get(name)]
        yield f"Deployment: {', '.join(named)}" if named else "Deployment: not known"
    yield from _times(letter, finding)
    if is_late(letter, now):
        yield f"LATE: it happened at {moment(letter.created_at)} and could not be sent before {moment(now)}"


def _times(letter: Letter, finding: Finding) -> Iterator[str]:
    count = finding.get("count")
    seen = f", seen {count} times" if isinstance(count, int) and count > 1 else ""
    yield f"Since: {_when(finding, 'first_seen') or moment(letter.created_at)}{seen}"
    if letter.event == "recovered":
        yield f"Over: {_when(finding, 'recovered_at') or moment(letter.created_at)}"
    elif finding.get("verdict") in _VERDICTS:
        yield f"Cause: {str(finding['verdict']).replace('_', ' ')}"


def _why(finding: Finding) -> Iterator[str]:
    if finding.get("cause"):
        yield f"Why: {_text(finding, 'cause', 1000)}"
    yield from _listed("Proven by", [_proof(x) for x in _rows(finding, "evidence") if x.get("role") == "confirms"])
    excerpts = [_excerpt(x) for x in _rows(finding, "evidence") if x.get("role") == "symptom" and x.get("text")]
    if excerpts:
        yield "Log:\n" + "\n".join(dict.fromkeys(excerpts[:3]))
    out = [f"{_text(x, 'id')}: {_text(x, 'because')}" for x in _rows(finding, "ruled_out")]
    yield from _listed("Ruled out", out)


def _fix(finding: Finding) -> Iterator[str]:
    steps = _rows(finding, "remediation")
    for number, step in enumerate(steps, 1):
        notes = ", ".join(filter(None, (_text(step, "where"), _text(step, "risk_note"))))
        rows = ["Fix:"] if number == 1 else []
        rows.append(f"{number}. {_text(step, 'text', 1000)}" + (f" [{notes}]" if notes else ""))
        command = whole_command(step.get("command"))
        if command:
            rows += [f"   {row}" for row in typed(command).splitlines()]
        elif step.get("command"):
            rows.append("   (a long command: sudo agentdoctor check shows it)")
        yield "\n".join(rows)
    commands = [whole_command(step.get("command")) for step in steps]
    if any(typed(command) != command for command in commands):
        yield "(links are taken out of this mail: in a command, type http for hxxp and . for [.])"


def _shown(finding: Finding) -> list[str]:
    """What proved it over: what contradicts it now, or what is as late as its end."""
    over = finding.get("recovered_at")
    rows = _rows(finding, "evidence")
    against = [x for x in rows if x.get("role") == "contradicts"]
    later = [x for x in rows if isinstance(over, str) and isinstance(x.get("at"), str) and x["at"] >= over]
    return [_proof(x) for x in against or later]


def _foot(letter: Letter, finding: Finding) -> Iterator[str]:
    docs = finding.get("docs")
    if isinstance(docs, str) and _DOCS.fullmatch(docs):  # of the rule, not of a log: the one live link
        yield f"More: {docs}"
    yield f"Rule: {rule_id(letter)}"
    yield f"Alert: {_said(letter.key)}"


def _proof(row: Finding) -> str:
    return f"{_text(row, 'source') or 'host'}: {_text(row, 'text')}"


def _excerpt(row: Finding) -> str:
    """What a log says, each line behind a bar, so that none passes for ours."""
    text = defanged(clean(str(row["text"]))[:_EXCERPT_LIMIT])
    lines = [line for line in (one_line(x) for x in text.splitlines()) if line]
    return "\n".join(f"| {line}" for line in lines[:_EXCERPT_LINES])


def _listed(label: str, rows: Sequence[str], most: int = _ROWS) -> Iterator[str]:
    if rows:
        more = [f"- and {len(rows) - most} more"] if len(rows) > most else []
        yield "\n".join([f"{label}:", *(f"- {row}" for row in rows[:most]), *more])


def _rows(finding: Finding, name: str) -> list[Finding]:
    rows = finding.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _counted(digest: Finding) -> list[str]:
    """The counts of a digest: rule -> event -> how many changes."""
    counts = digest.get("counts")
    rows = []
    for rule, events in counts.items() if isinstance(counts, Mapping) else ():
        named = events.items() if isinstance(events, Mapping) else [("", events)]
        rows.append(f"{_said(str(rule))}: " + ", ".join(f"{_said(str(n))} {_said(str(event))}" for event, n in named))
    return rows


def _text(values: Finding, name: str, limit: int = _LINE_LIMIT) -> str:
    value = values.get(name)
    return _said(value, limit) if isinstance(value, str) else ""


def _said(text: str, limit: int = _LINE_LIMIT) -> str:
    """One line of prose. It is made safe after it was cut: a cut must not turn it into something else."""
    return defanged(cut(one_line(text), limit))


def _when(finding: Finding, name: str) -> str:
    found = _STAMP.fullmatch(str(finding.get(name)))
    return f"{found[1]} {found[2]} UTC" if found else ""


def whole_command(text: object) -> str:
    """A command that may be shown: whole, or not at all."""
    shown = clean(text).strip() if isinstance(text, str) else ""
    return shown if len(shown) <= _COMMAND_LIMIT else ""
