"""A digest: what could not be told one by one, told in one letter by counts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "agentdoctor.digest/1"
SAMPLES = 50
_RANKS = ("info", "warning", "critical")


@dataclass
class Digest:
    """Counts by rule and event, why they are here (rate, bounds), and the first of them by name."""

    why: Counter[str] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=dict)  # rule -> event -> how many
    first_at: float | None = None
    last_at: float | None = None
    severity: str = _RANKS[0]  # the worst
    letters: list[dict[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(sum(events.values()) for events in self.counts.values())

    def add(self, rule: str, event: str, severity: str, at: float, fingerprint: str, why: str) -> None:
        """Count one change of one finding."""
        self.why[why] += 1
        self.counts.setdefault(rule, Counter())[event] += 1
        self._stretch(at, at, severity)
        if len(self.letters) < SAMPLES:
            self.letters.append({"rule": rule, "event": event, "fingerprint": fingerprint, "created_at": at})

    def merge(self, other: Digest) -> None:
        """Count what an earlier digest counted, which will not go out itself."""
        self.why += other.why
        for rule, events in other.counts.items():
            self.counts[rule] = self.counts.get(rule, Counter()) + events
        if other.first_at is not None and other.last_at is not None:
            self._stretch(other.first_at, other.last_at, other.severity)
        self.letters = (self.letters + other.letters)[:SAMPLES]

    def _stretch(self, first: float, last: float, severity: str) -> None:
        self.first_at = first if self.first_at is None else min(self.first_at, first)
        self.last_at = last if self.last_at is None else max(self.last_at, last)
        self.severity = max(self.severity, severity, key=lambda x: _RANKS.index(x) if x in _RANKS else 0)

    def text(self) -> str:
        """As JSON: what stands in the letter, and what a restart reads."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "count": self.count,
                "severity": self.severity,
                "first_at": self.first_at,
                "last_at": self.last_at,
                "why": self.why,
                "counts": self.counts,
                "letters": self.letters,
            }
        )


def read(text: str) -> Digest:
    """A digest from its text. ValueError, KeyError or TypeError if that is not one."""
    data = json.loads(text)
    counts = {rule: Counter(events) for rule, events in data["counts"].items()}
    return Digest(
        Counter(data["why"]), counts, data["first_at"], data["last_at"], data["severity"], list(data["letters"])
    )
