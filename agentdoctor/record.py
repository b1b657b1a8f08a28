"""The record of a snapshot: what was seen on the host when it was taken, beside the copied files.

``{schema, taken_at, utc_offset, evidence}``, and since snapshots are taken by this program ``{host, answers, journal,
problems, notes}``. ``evidence`` is by probe, for questions about the whole host; ``answers`` are those about one thing,
a list of ``{probe, about, ...}``. Each holds ``value``, or ``outcome`` and ``reason`` where the probe could not look.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "agentdoctor.snapshot/1"
# In the root of a snapshot; the third holds what the unit's journal said.
RECORD_FILE, MANIFEST_FILE, JOURNAL_FILE = "agentdoctor-snapshot.json", "MANIFEST.json", "agentdoctor-journal.log"
LATEST = 253402300799.0  # the last second of the year 9999, in seconds since the epoch
_DAY = 86400.0

Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Recorded:
    """What a record says. ``journal`` tells whether the unit's journal was read, and lies in JOURNAL_FILE."""

    taken_at: float | None = None  # seconds since the epoch
    utc_offset: float | None = None  # seconds east of UTC of the host's local time
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[Key, Mapping[str, Any]] = field(default_factory=dict)
    name: str | None = None
    journal: bool = False
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def key(probe: str, about: Mapping[str, str]) -> Key:
    """Of a question: the probe, and what it is about."""
    return probe, tuple(sorted(about.items()))


def parse(text: str) -> Recorded:
    """Read a record. ValueError when it is none, or when a part has not the shape that it must have."""
    try:
        data = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ValueError(f"{RECORD_FILE} is not a record of schema {SCHEMA}")
    evidence, answers = data.get("evidence", {}), data.get("answers", [])
    host = data.get("host", {})
    _must(isinstance(evidence, dict) and all(map(_is_entry, evidence.values())), "evidence")
    _must(isinstance(answers, list) and all(map(_is_answer, answers)), "answers")
    _must(isinstance(host, dict) and isinstance(host.get("name"), str | None), "host")
    return Recorded(
        _number(data, "taken_at", 0.0, LATEST),
        _number(data, "utc_offset", -_DAY, _DAY),
        evidence,
        {key(entry["probe"], entry["about"]): entry for entry in answers},
        host.get("name"),
        data.get("journal") is True,
        _texts(data, "problems"),
        _texts(data, "notes"),
    )


def _must(holds: bool, part: str) -> None:
    if not holds:
        raise ValueError(f"{RECORD_FILE}: {part} cannot be understood")


def _finite(text: str) -> float | None:
    """A number; None for NaN and what is beyond all numbers, which is not known then."""
    value = float(text)
    return value if math.isfinite(value) else None


def _is_entry(entry: Any) -> bool:
    """Whether it tells what became of one question: a value, or why there is none."""
    if not isinstance(entry, dict):
        return False
    if "value" in entry:
        return isinstance(entry["value"], dict) and _is_time(entry.get("duration_ms", 0.0))
    return entry.get("outcome", "unknown") in ("skip", "unknown", "error") and isinstance(entry.get("reason", ""), str)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= _DAY * 1000


def _is_answer(entry: Any) -> bool:
    if not _is_entry(entry) or not isinstance(entry.get("probe"), str):
        return False
    about = entry.get("about")
    return isinstance(about, dict) and all(isinstance(value, str) for value in about.values())


def _number(data: Mapping[str, Any], part: str, low: float, high: float) -> float | None:
    value = data.get(part)
    if value is None:
        return None
    _must(isinstance(value, int | float) and math.isfinite(value) and low <= value <= high, part)
    return float(value)


def _texts(data: Mapping[str, Any], part: str) -> tuple[str, ...]:
    value = data.get(part, [])
    _must(isinstance(value, list) and all(isinstance(text, str) for text in value), part)
    return tuple(value)
