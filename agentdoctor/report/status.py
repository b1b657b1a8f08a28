"""What the service knows, and how it is: for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agentdoctor.host import iso
from agentdoctor.report.text import clock
from agentdoctor.scrub import line
from agentdoctor.status import RUNNING, Status

SCHEMA = "agentdoctor.status/1"
_ORDER = ("active", "quiet", "masked", "recovered")
_MARKS = {"active": "X", "quiet": "~", "masked": "-", "recovered": "v", "silenced": "s"}
_RECOVERED_SHOWN = 10
LETTERS_WAIT = ("waiting", "open")


def exit_code(status: Status) -> int:
    """0 nothing wrong, 1 warning, 2 critical, 3 nobody watches, or it cannot be seen."""
    severities = {str(life["document"]["severity"]) for life in _in(status, "active")}
    if "critical" in severities:
        return 2
    if status.service != RUNNING or (status.trouble and not status.lives):
        return 3
    return 1 if "warning" in severities else 0


def _in(status: Status, *states: str) -> list[Mapping[str, Any]]:
    """The findings in these states, those of silenced rules apart."""
    return [life for life in status.lives if state_of(life, status) in states]


def state_of(life: Mapping[str, Any], status: Status) -> str:
    """What state a finding is in: its own, or silenced."""
    document = life["document"]
    held = document["state"] in ("active", "quiet") and document["id"] in status.silences
    return "silenced" if held else str(document["state"])


def as_text(status: Status) -> str:
    """A screen."""
    parts = [_service(status), _findings(status), _logs(status), _alerts(status)]
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"


def _service(status: Status) -> Iterator[str]:
    pulse, process = status.pulse, status.process
    if process:
        about = f"process {pulse['pid']}, {process['memory_mb']} MB, {process['cpu_seconds']} s of CPU"
        since = f"since {clock(pulse['started_at'], status.at)}"
        yield f"{status.service.upper()} {since} ({about}), {pulse.get('rules', '?')} rules"
        if status.service != RUNNING:
            yield f"  it has not stirred since {clock(pulse['at'], status.at)}; the service manager restarts it"
    else:
        known = f"; the last state is of {clock(status.changed_at, status.at)}" if status.changed_at else ""
        yield f"NOT RUNNING{known}"
        yield "  start it with sudo systemctl start agentdoctor, see why with journalctl -u agentdoctor"
    for trouble in status.trouble:
        yield f"  {line(trouble)}"


def _findings(status: Status) -> Iterator[str]:
    if status.lives or not status.trouble:
        shown = {state: _in(status, state) for state in (*_ORDER[:3], "silenced", "recovered")}
        counts = ", ".join(f"{len(lives)} {state}" for state, lives in shown.items())
        yield f"findings: {counts}"
        for state, lives in shown.items():
            lives.sort(key=lambda life: str(life["document"]["last_seen"]), reverse=True)
            for life in lives[: _RECOVERED_SHOWN if state == "recovered" else None]:
                yield _row(state, life, status)


def _row(state: str, life: Mapping[str, Any], status: Status) -> str:
    document = life["document"]
    notes = [str(document["verdict"]).replace("_", " ").upper()] if state in ("active", "quiet") else []
    notes += [f"since {_local(document['first_seen'], status)}, seen {document['count']}x"]
    if document.get("masked_by"):
        notes.append(f"behind {document['masked_by']}")
    if state == "silenced":
        silence = status.silences[document["id"]]
        notes.append(f"silenced until {clock(silence.until, status.at)}: {line(silence.reason)}")
    if life.get("flapping"):
        notes.append("comes and goes")
    if state == "active" and not life.get("told"):
        notes.append("nobody was told yet")
    return f" {_MARKS[state]} {document['id']:<28} {line(str(document['title']))}\n     {'; '.join(notes)}"


def _local(stamp: str | None, status: Status) -> str:
    from datetime import datetime

    if not stamp:
        return "an unknown time"
    return clock(datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp(), status.at)


def _logs(status: Status) -> Iterator[str]:
    pulse = status.pulse
    if not pulse:
        return
    yield f"logs ({line(str(pulse.get('events', '')))}):"
    for path, log in sorted((pulse.get("logs") or {}).items()):
        behind = f"{log['behind']} bytes behind" if log.get("behind") else "read to its end"
        last = f", last record {clock(log['last_at'], status.at)}" if log.get("last_at") else ""
        strange = f", {log['strange']} lines of no known form" if log.get("strange") else ""
        yield f"   {line(path)}: {behind} at {log.get('offset', 0)}{last}{strange}"
    for path, why in sorted((pulse.get("refused") or {}).items()):
        yield f"   {line(path)}: not read: {line(why)}"
    if pulse.get("journal"):
        yield f"   journal: {line(str(pulse['journal']))}"


def _alerts(status: Status) -> Iterator[str]:
    waiting = [row for row in status.letters if row.status in LETTERS_WAIT]
    parked = [row for row in status.letters if row.status == "parked"]
    path, delivered = status.facts.get("outbox.path"), status.facts.get("outbox.delivered")
    yield f"alerts: {len(waiting)} waiting, {len(parked)} refused for good"
    if status.pulse.get("plain"):
        yield f"   told on standard error, not as entries of the journal: {line(str(status.pulse['plain']))}"
    if delivered:
        yield f"   last delivered {clock(delivered['at'], status.at)}, message {line(str(delivered['message_id']))}"
    if path:
        why = line(f"{path['error']} {path['text']}")
        yield f"   failing since {clock(path['since'], status.at)}: {why}"
        yield "   try it with sudo agentdoctor notify test"


def as_json(status: Status) -> str:
    """One document of schema agentdoctor.status/1."""
    waiting = [row for row in status.letters if row.status in LETTERS_WAIT]
    document = {
        "schema": SCHEMA,
        "at": iso(status.at),
        "service": {
            "state": status.service,
            "pid": status.pulse.get("pid"),
            "started_at": iso(status.pulse.get("started_at")),
            "pulse_at": iso(status.pulse.get("at")),
            "events": status.pulse.get("events"),
            **status.process,
        },
        "trouble": [line(x) for x in status.trouble],
        "findings": [_finding(life, status) for life in status.lives],
        "silences": [{"id": x.id, "until": iso(x.until), "reason": line(x.reason)} for x in status.silences.values()],
        "logs": [{"path": line(path), **log} for path, log in sorted((status.pulse.get("logs") or {}).items())],
        "refused": [
            {"path": line(path), "reason": line(why)}
            for path, why in sorted((status.pulse.get("refused") or {}).items())
        ],
        "alerts": {
            "waiting": len(waiting),
            "oldest_at": iso(min((row.letter.created_at for row in waiting), default=None)),
            "refused": sum(row.status == "parked" for row in status.letters),
            "path": status.facts.get("outbox.path"),
            "delivered": status.facts.get("outbox.delivered"),
            "error": status.facts.get("outbox.error"),
            "plain": line(str(status.pulse.get("plain") or "")) or None,
        },
        "summary": {"exit_code": exit_code(status)},
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _finding(life: Mapping[str, Any], status: Status) -> dict[str, Any]:
    state = state_of(life, status)
    silence = status.silences.get(life["document"]["id"])
    suppression = {"reason": line(silence.reason), "until": iso(silence.until)} if silence else None
    return {
        **life["document"],
        "state": "suppressed" if state == "silenced" else state,
        "suppression": suppression,
        "told": bool(life["told"]),
        "flapping": life["flapping"],
    }
