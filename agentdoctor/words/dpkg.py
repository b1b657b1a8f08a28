"""Words for what ``probes/dpkg.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, day


def _lock(value: Mapping[str, Any]) -> str:
    holder = value.get("lock_holder")
    return f"{holder} holds the lock of dpkg or apt" if holder else "nobody holds the lock of dpkg or apt now"


def _state(value: Mapping[str, Any]) -> str:
    said = []
    if value.get("last_agent_change") is not None:
        said.append(f"dpkg last changed the agent {day(value['last_agent_change'])}")
    if value.get("lock_holder"):
        said.append(_lock(value))
    if value.get("interrupted"):
        half = value.get("half_done")
        said.append(f"dpkg was interrupted{' at ' + ', '.join(half) if half else ''}")
    if value.get("unattended_running"):
        said.append("unattended-upgrade is running")
    return "; ".join(said)


PHRASES: dict[str, Phrase] = {
    "dpkg.state": _state,
    "dpkg.state.lock_holder": _lock,
}
STATED = {
    "dpkg.state.lock_holder": ("a process holds the lock of dpkg or apt", "nobody holds the lock of dpkg or apt"),
}
