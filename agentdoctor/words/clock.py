"""Words for what ``probes/clock.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _clock(value: Mapping[str, Any]) -> str:
    return f"clock {abs(value['seconds']):.0f} s {'ahead' if value['seconds'] > 0 else 'behind'}"


def _sync(value: Mapping[str, Any]) -> str:
    known = value.get("synchronised")
    state = "" if known is None else "the clock is synchronised" if known else "the clock is not synchronised"
    service = value.get("service")
    keeps = "" if service is None else f"{service} keeps the time" if service else "no time service runs"
    return ", ".join(part for part in (state, keeps) if part)


PHRASES: dict[str, Phrase] = {
    "clock.sync": _sync,
    "clock.offset.seconds": _clock,
    "clock.offset.abs_seconds": _clock,
}
NAMED = {
    "clock.offset.abs_seconds": "the error of the clock, in seconds,",
}
