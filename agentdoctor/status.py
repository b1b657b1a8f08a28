"""The service as others see it: from its state on disk and its pulse, whether it lives, hangs, or never ran."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agentdoctor import silences
from agentdoctor.model import Silence
from agentdoctor.outbox import Row
from agentdoctor.pulse import LATE_SECONDS, feel
from agentdoctor.store import view

RUNNING, HUNG, STOPPED = "running", "hung", "stopped"


@dataclass(frozen=True)
class Status:
    """What is known. Times in seconds since the epoch."""

    at: float
    service: str  # running, hung, stopped
    trouble: tuple[str, ...] = ()  # of seeing it, or of the service itself
    pulse: Mapping[str, Any] = field(default_factory=dict)
    process: Mapping[str, Any] = field(default_factory=dict)  # memory_mb, cpu_seconds, uptime_seconds
    lives: tuple[Mapping[str, Any], ...] = ()
    letters: tuple[Row, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    silences: Mapping[str, Silence] = field(default_factory=dict)
    changed_at: float | None = None


def look(state_dir: str, now: float) -> Status:
    """All that can be seen of the service of a state directory. It is never asked: it may hang."""
    seen = view(state_dir)
    pulse = feel(state_dir) or {}
    process = _process(pulse)
    late = now - float(pulse.get("at", 0.0)) > LATE_SECONDS
    service = STOPPED if not process else HUNG if late else RUNNING
    trouble = [str(pulse["trouble"]["why"])] if pulse.get("trouble") else []
    if isinstance(seen, str):
        return Status(now, service, (seen, *trouble), pulse, process, silences=silences.load(state_dir, now))
    if seen.newer:
        trouble.append(f"the state is of a newer version (schema {seen.schema}): what it has more is not shown")
    return Status(
        now,
        service,
        tuple(trouble),
        pulse,
        process,
        tuple(filter(None, map(_parsed, seen.state["findings"].values()))),
        seen.letters,
        {name: _parsed(text) for name, text in seen.state["facts"].items()},
        silences.load(state_dir, now),
        seen.changed_at,
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _process(pulse: Mapping[str, Any]) -> dict[str, Any]:
    """The service's own memory, processor time and age; nothing where it does not run any more."""
    import psutil

    try:
        process = psutil.Process(int(pulse["pid"]))
        with process.oneshot():
            if process.create_time() > float(pulse["started_at"]) + 1.0:  # somebody else has that number now
                return {}
            times = process.cpu_times()
            return {
                "memory_mb": round(process.memory_info().rss / 2**20, 1),
                "cpu_seconds": round(times.user + times.system, 1),
                "uptime_seconds": round(time.time() - process.create_time()),
            }
    except (psutil.Error, KeyError, ValueError, TypeError):
        return {}
