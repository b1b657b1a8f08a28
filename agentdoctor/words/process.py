"""Words for what ``probes/process.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _process(value: Mapping[str, Any]) -> str:
    if not value.get("running"):
        return "no agent process"
    return f"agent master {value.get('master_pid')} with {value.get('workers')} worker(s)"


PHRASES: dict[str, Phrase] = {
    "process.agent.running": _process,
}
STATED = {
    "process.agent.running": ("the agent's master process runs", "no master process of the agent runs"),
}
NAMED = {
    "process.agent.worker_age": "the age of the agent's youngest worker, in seconds,",
    "process.agent.workers": "the number of the agent's workers",
}
