"""Words for what ``probes/log.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, span


def _quiet(value: Mapping[str, Any]) -> str:
    return f"{value.get('path')} was written last {span(value['age_seconds'])} ago"


def _exists(value: Mapping[str, Any]) -> str:
    return f"{value.get('path')} {'is there' if value.get('exists') else 'is not there'}"


def _deployments(value: Mapping[str, Any]) -> str:
    count = value.get("deployments_after") or "no"
    return f"{count} deployment{'' if count == 1 else 's'} came here after the last line of the log"


def _end(value: Mapping[str, Any]) -> str:
    return "the log's last line has no end" if value.get("torn_end") else ""


PHRASES: dict[str, Phrase] = {
    "log.activity": _end,
    "log.activity.quiet_seconds": _quiet,
    "log.activity.exists": _exists,
    "log.activity.deployments_after": _deployments,
}
STATED = {
    "log.activity.exists": ("the agent's log is there", "the agent's log is not there"),
}
NAMED = {
    "log.activity.quiet_seconds": "the time without a line in the agent's log, beyond its own pause, in seconds,",
    "log.activity.deployments_after": "the number of deployments that came after the last line of the log",
}
