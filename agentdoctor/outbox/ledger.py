"""The rows of an outbox, in the order in which they came, and which of them differ from what is on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agentdoctor.outbox.letters import OPEN, PARKED, WAITING, Row


class Ledger:
    """Rows by key. ``queues`` holds the keys of what waits, by fingerprint, oldest first."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows: dict[str, Row] = {}
        self.queues: dict[str, list[str]] = {}
        self.beginnings: dict[str, str] = {}  # fingerprint -> key of the opened letter that no end has followed
        self.kept = self.bytes = 0  # of what waits or is parked
        self._seq = 0
        self._changed: dict[str, None] = {}
        self._gone: dict[str, None] = {}
        for row in sorted(rows, key=lambda row: row.seq):
            self.put(row)
        self._changed.clear()

    def put(self, row: Row) -> None:
        """Add a row, or replace the one of its key; 0 as its number means the next one."""
        key, fingerprint = row.letter.key, row.letter.fingerprint
        old = self.rows.get(key)
        self._seq = max(self._seq + (row.seq == 0), row.seq)
        self._count(old, -1)
        self.rows[key] = row = row if row.seq else replace(row, seq=self._seq)
        self._count(row, 1)
        if row.status == WAITING and (old is None or old.status != WAITING):
            self.queues.setdefault(fingerprint, []).append(key)
        elif row.status != WAITING:
            self._leave(fingerprint, key)
        if old is None and row.letter.event in ("opened", "recovered"):
            self.beginnings.pop(fingerprint, None)
            if row.letter.event == "opened":
                self.beginnings[fingerprint] = key
        self._changed[key] = None
        self._gone.pop(key, None)

    def remove(self, key: str) -> None:
        """Take a row out."""
        row = self.rows.pop(key)
        self._count(row, -1)
        self._leave(row.letter.fingerprint, key)
        if self.beginnings.get(row.letter.fingerprint) == key:
            del self.beginnings[row.letter.fingerprint]
        self._changed.pop(key, None)
        self._gone[key] = None

    def delay(self, key: str, next_at: float) -> None:
        """Let it wait; not written, because a restart may forget it."""
        self.rows[key] = replace(self.rows[key], next_at=next_at)

    def fill(self, key: str, body: str) -> None:
        """Have the body of a letter in memory again."""
        row = self.rows[key]
        self.rows[key] = replace(row, letter=replace(row.letter, body=body))

    def earlier(self, seconds: float) -> None:
        """Shift every wait, because the clock was."""
        for key, row in self.rows.items():
            if row.status in (WAITING, OPEN):
                self.rows[key] = replace(row, not_before=row.not_before - seconds, next_at=row.next_at - seconds)

    def waiting(self) -> Iterator[Row]:
        """What is to be told, by fingerprint."""
        return (self.rows[key] for queue in self.queues.values() for key in queue)

    @property
    def differs(self) -> bool:
        """Whether anything is unsaved."""
        return bool(self._changed or self._gone)

    def unsaved(self) -> tuple[list[Row], list[str]]:
        """Rows that differ from what was saved, and keys of those that are no more."""
        return [self.rows[key] for key in self._changed], list(self._gone)

    def saved(self) -> None:
        """All is on disk. Bodies need not be in memory too, but for digests, which may be counted into another."""
        for key in self._changed:
            row = self.rows[key]
            if row.letter.body and row.letter.event != "digest":
                self.rows[key] = replace(row, letter=replace(row.letter, body=""))
        self._changed.clear()
        self._gone.clear()

    def all_unsaved(self, gone: Iterable[str]) -> None:
        """The disk may hold none of it, and still hold what is gone."""
        self._changed = dict.fromkeys(self.rows)
        self._gone = dict.fromkeys(gone)

    def _count(self, row: Row | None, sign: int) -> None:
        if row and row.status in (WAITING, PARKED):
            self.kept += sign
            self.bytes += sign * row.size

    def _leave(self, fingerprint: str, key: str) -> None:
        queue = self.queues.get(fingerprint, [])
        if key in queue:
            queue.remove(key)
            if not queue:
                del self.queues[fingerprint]
