"""Words for what ``probes/unit.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _unit(value: Mapping[str, Any]) -> str:
    return f"systemd: {value.get('load_state')}, {value.get('active_state')} ({value.get('sub_state')})"


PHRASES: dict[str, Phrase] = {
    "unit.state.unit_file_state": lambda value: f"systemd: the unit is {value.get('unit_file_state') or 'not there'}",
    "unit.state.wanted_by": lambda value: f"systemd: {value.get('wanted_by') or 'no target'} starts the unit at boot",
    "unit.state.active_state": _unit,
    "unit.state.sub_state": _unit,
    "unit.state.load_state": _unit,
}
NAMED = {
    "unit.state.active_state": "the unit's ActiveState",
    "unit.state.load_state": "the unit's LoadState",
    "unit.state.sub_state": "the unit's SubState",
    "unit.state.unit_file_state": "the unit's UnitFileState",
    "unit.state.wanted_by": "what starts the unit at boot, its WantedBy,",
}
