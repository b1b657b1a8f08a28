"""Words for what ``probes/service.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _alerts(value: Mapping[str, Any]) -> str:
    return f"alerts fail: {value['error']}" if value["error"] else "alerts arrive"


def _findings(value: Mapping[str, Any]) -> str:
    return f"{value['ids']} come and go" if value["flapping"] else "no finding comes and goes"


def _logs(value: Mapping[str, Any]) -> str:
    return f"not read: {value['last']}" if value["gaps"] else "every line of the last day was read"


def _state(value: Mapping[str, Any]) -> str:
    return "what the service learns is on the disk" if value["durable"] else f"it is only in memory: {value['why']}"


PHRASES: dict[str, Phrase] = {
    "service.alerts": _alerts,
    "service.alerts.broken": _alerts,
    "service.findings.flapping": _findings,
    "service.logs.gaps": _logs,
    "service.state.durable": _state,
}
STATED = {
    "service.alerts.broken": ("alerts do not arrive", "alerts arrive"),
    "service.state.durable": ("what the service learns is on the disk", "what the service learns is only in memory"),
}
NAMED = {
    "service.findings.flapping": "the number of findings that come and go",
    "service.logs.gaps": "the number of gaps in what was read of the logs within a day",
}
