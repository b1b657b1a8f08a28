"""The journal as a sink: one entry for each change, with fields to search by. It needs no network and comes first."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from agentdoctor.digests import hexadecimal
from agentdoctor.outbox import Letter
from agentdoctor.scrub import cut, line, scrub
from agentdoctor.sinks.clean import one_line
from agentdoctor.sinks.text import headword, whole_command

SOCKET = "/run/systemd/journal/socket"
# Of ours, drawn once: MESSAGE_ID of a rule is the same on every host and in every version.
NAMESPACE = "1f6b1d9c-3f0e-4c55-9c0b-6a3f1d1b7e42"
_FIELD_LIMIT = 1000  # characters
# syslog(3). What is over, or only a test, is a notice.
_PRIORITIES = {"critical": 2, "warning": 4, "info": 6}
_NOTICE = 5


def tell(letter: Letter, socket: str = SOCKET) -> None:
    """Write an entry; where there is no journald, a line on standard error. It never fails: the alert goes on."""
    entry = fields(letter)
    if os.path.exists(socket) and _sent(entry):
        return
    with contextlib.suppress(OSError):  # nobody reads at all: the outbox still has the letter
        # "<2>" is how a service tells systemd the priority of a line (sd-daemon(3))
        os.write(2, f"<{entry['PRIORITY']}>{entry['MESSAGE']}\n".encode())


def trouble(socket: str = SOCKET) -> str:
    """Why entries go to standard error instead; "" if they do not."""
    if not os.path.exists(socket):
        return "there is no journald"
    try:
        import systemd  # noqa: F401 - its parts are loaded with the first entry
    except ImportError:
        return "the Python package systemd-python is not installed"
    return ""


def message_id(rule: str) -> str:
    """What all entries about a rule share, to search by."""
    return hexadecimal(NAMESPACE, one_line(rule))[:32]


def fields(letter: Letter) -> dict[str, str]:
    """The entry of a letter, without secrets. Each field is one line, but for the fix; an empty one is left out."""
    finding = _finding(letter)
    deployment, subject = _part(finding, "deployment"), _part(finding, "subject")
    values = {
        "RULE": letter.rule,
        "EVENT": letter.event,
        "VERDICT": finding.get("verdict"),
        "SEVERITY": letter.severity,
        "FINGERPRINT": letter.fingerprint,
        "CAUSE": finding.get("cause"),
        "SUBJECT": subject.get("name"),
        "INSTANCE_ID": letter.instance_id,
        "DEPLOYMENT_GROUP": letter.deployment_group,
        "DEPLOYMENT_ID": deployment.get("id"),
        "LIFECYCLE_EVENT": deployment.get("event"),
        "KEY": letter.key,
    }
    shown = {f"AGENTDOCTOR_{name}": _said(value) for name, value in values.items()}
    return {
        "MESSAGE": _message(letter, finding),
        "MESSAGE_ID": message_id(letter.rule),
        "PRIORITY": str(_priority(letter)),
        **_fix(finding),
        "SYSLOG_IDENTIFIER": "agentdoctor",
        **{name: value for name, value in shown.items() if value},
    }


def _message(letter: Letter, finding: Mapping[str, Any]) -> str:
    verdict = _said(finding.get("verdict")).replace("_", " ")
    notes = ", ".join(filter(None, (_said(letter.rule), verdict if letter.event != "recovered" else "")))
    return f"{headword(letter)}: {_said(finding.get('title')) or 'agentdoctor'} ({notes})"


def _fix(finding: Mapping[str, Any]) -> dict[str, str]:
    """What to do, as the catalog of messages shows it: the steps, and below each what is typed."""
    rows = []
    for number, step in enumerate(_mappings(finding.get("remediation")), 1):
        notes = ", ".join(filter(None, (_said(step.get("where")), _said(step.get("risk_note")))))
        rows.append(f"{number}. {_said(step.get('text'))} [{notes}]")
        rows += [f"     {row}" for row in scrub(whole_command(step.get("command"))).splitlines()]
    return {"AGENTDOCTOR_FIX": "\n".join(rows)} if rows else {}


def _priority(letter: Letter) -> int:
    return _PRIORITIES.get(letter.severity, 4) if letter.event in ("opened", "escalated") else _NOTICE


def _said(value: object) -> str:
    return cut(one_line(line(value)), _FIELD_LIMIT) if isinstance(value, str) else ""


def _finding(letter: Letter) -> Mapping[str, Any]:
    try:
        finding = json.loads(letter.body)
    except (ValueError, RecursionError):
        return {}
    return finding if isinstance(finding, dict) else {}


def _mappings(values: object) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _part(finding: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = finding.get(name)
    return part if isinstance(part, dict) else {}


def _sent(entry: Mapping[str, str]) -> bool:
    """Whether the journal took it. Without systemd-python there is no way to it but standard error."""
    try:
        from systemd.journal import sendv

        sendv(*(f"{name}={value}" for name, value in entry.items()))
    except (ImportError, OSError, ValueError):
        return False
    return True
