"""Words for what ``probes/clock.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _clock(value: Mapping[str, Any]) -> str:
    return f"clock {abs(value['seconds']):.0f} s {'ahead' if value['seconds'] > 0 else 'behind'}"


PHRASES: dict[str, Phrase] = {
    "clock.offset.seconds": _clock,
    "clock.offset.abs_seconds": _clock,
}
NAMED = {
    "clock.offset.abs_seconds": "the error of the clock, in seconds,",
}
