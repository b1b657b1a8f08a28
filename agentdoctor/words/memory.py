"""Words for what ``probes/memory.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, day, size


def _state(value: Mapping[str, Any]) -> str:
    swap = f"{size(value['swap_free'])} of swap" if value.get("swap_total") else "no swap"
    return f"{size(value['available_bytes'])} of {size(value['total_bytes'])} of memory available now, {swap}"


def _oom(value: Mapping[str, Any]) -> str:
    kills = value.get("kills")
    if not kills:
        return "the kernel's journal of the last 7 days tells of no process killed for want of memory"
    victim, at = value.get("last_victim"), day(value.get("last_at"))
    return f"the kernel killed {kills} for want of memory in the last 7 days, the last was {victim}, {at}"


PHRASES: dict[str, Phrase] = {
    "memory.state": _state,
    "memory.oom": _oom,
    "memory.oom.kills": _oom,
    "memory.state.available_percent": _state,
}
NAMED = {
    "memory.oom.kills": "the number of processes that the kernel killed for want of memory in the last 7 days",
    "memory.state.available_percent": "the part of the memory that is available, in percent,",
}
