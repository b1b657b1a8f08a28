"""Errors that no rule explains, counted by template: the message without what differs from host to host."""

from __future__ import annotations

import re

from agentdoctor.model import Record, Unexplained

KEPT = 200


class Templates:
    """Counts errors, of at most so many kinds."""

    def __init__(self) -> None:
        self._known: dict[str, Unexplained] = {}

    def count(self, record: Record) -> None:
        """Count one error under its template."""
        key = template(record.message)
        known = self._known.get(key)
        if known is None and len(self._known) >= KEPT:
            return
        first = known.first_at if known else record.at
        self._known[key] = Unexplained(key, (known.count if known else 0) + 1, first, record.at)

    def listed(self) -> list[Unexplained]:
        """All of them, the most frequent first."""
        return sorted(self._known.values(), key=lambda entry: (-entry.count, entry.template))


_MASKS = (
    (re.compile(r" - (?:/|<internal:).*", re.DOTALL), ""),
    (re.compile(r"\bhttps?://[^\s'\"]+"), "<url>"),
    (re.compile(r"\barn:aws[^\s'\"]+"), "<arn>"),
    (re.compile(r"\bd-[A-Z0-9]{9}\b"), "<deployment>"),
    (re.compile(r"(?<![\w.])/[^\s'\",)]+"), "<path>"),
    (re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|[0-9a-f]{12,})\b"), "<id>"),
    (re.compile(r"\d+"), "<n>"),
)


def template(message: str) -> str:
    """An error message without what differs from host to host: numbers, ids, paths, addresses."""
    text = message.partition("\n")[0][:400]
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()
