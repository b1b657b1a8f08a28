"""What is to be told, and when: order, slots, retries, limits. Pure: time and chance are arguments.

A letter is told at least once, under one key however often. Letters of one finding go in order, one at a time. While
the path fails, one letter at a time tries it, and the others go once that one has arrived. Nothing is dropped: what a
limit holds back is counted in a digest, which is a letter too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agentdoctor.digests import hexadecimal
from agentdoctor.outbox import digest
from agentdoctor.outbox.ledger import Ledger
from agentdoctor.outbox.letters import OPEN, PARKED, SENT, WAITING, Answer, Letter, Path, Row, is_late, size
from agentdoctor.outbox.pacing import HOLD_MOST, Bucket, backoff, slot, spread

__all__ = ["Answer", "Letter", "Outbox", "Path", "Row", "is_late", "spread"]

ROWS_MOST, BYTES_MOST = 10_000, 50 * 2**20
_AFTER_FOLDING = 0.9  # of either, so that not every letter at the limit looks for others to fold
KEPT_SECONDS = 7 * 86400.0  # of what was sent or parked: a key that comes again is known so long
DIGEST_SECONDS, DIGEST_GATHERS, DIGEST_SPREAD = 3600.0, 60.0, 240.0
LOST_SECONDS = 300.0
_PRUNE_SECONDS = 3600.0
_UNLIMITED = ("test", "digest")


class Outbox:
    """All letters that are not told, and those that were within the last week."""

    def __init__(self, rows: Iterable[Row] = (), facts: Mapping[str, str] | None = None, now: float = 0.0) -> None:
        """``rows`` and ``facts`` as they were stored."""
        known = {name: json.loads(text) for name, text in (facts or {}).items() if name.startswith("outbox.")}
        limits = known.get("outbox.limits") or {}
        self.totals: Counter[str] = Counter(limits.get("totals"))  # sent, parked, folded, cancelled: ever
        self.delivered: dict[str, Any] | None = known.get("outbox.delivered")  # the last: at, key, message_id
        self.error: dict[str, Any] | None = known.get("outbox.error")  # the last: at, key, kind, error, text
        self.path = Path(**known["outbox.path"]) if "outbox.path" in known else None
        if self.path:  # who begins anew may do so because it is mended; and the clock may have been wrong before
            at_once = self.path.kind == "hold"
            self.path = self.path._replace(next_at=now if at_once else min(self.path.next_at, now + HOLD_MOST))
        bucket = Bucket(*limits.get("bucket", (Bucket().tokens, now)))
        self._bucket = bucket._replace(at=min(bucket.at, now))
        self._digest_at = min(limits.get("digest_at", 0.0), now + DIGEST_SECONDS)  # the next goes no earlier
        self._now, self._prune_at = now, now
        self._in_flight: dict[str, float] = {}  # key -> since when
        self._uncounted = False  # whether the digest counts more than its row tells
        self._load(list(rows))

    def _load(self, rows: Sequence[Row]) -> None:
        latest = [self._now + max(row.letter.spread, DIGEST_SECONDS) for row in rows]  # by a clock that was right
        self.ledger = Ledger(
            replace(row, not_before=min(row.not_before, most), next_at=0.0)
            for row, most in zip(rows, latest, strict=True)
        )
        self._digest: tuple[str, digest.Digest] | None = None  # the one that still counts, and its key
        for row in self.ledger.rows.values():
            if row.status == OPEN:
                self._digest = row.letter.key, digest.read(row.letter.body)

    def adopt(self, rows: Iterable[Row]) -> None:
        """Take in what a file holds that could not be read before; it is older than what came since."""
        mine, counting, gone = self.ledger.rows, self._digest, self.ledger.unsaved()[1]
        older = [replace(row, status=WAITING) if row.status == OPEN else row for row in rows]
        older = [row for row in older if row.letter.key not in mine and row.letter.key not in gone]
        self._load([replace(row, seq=seq) for seq, row in enumerate((*older, *mine.values()), 1)])
        self._digest = counting
        self.ledger.all_unsaved(gone)

    def facts(self) -> dict[str, str]:
        """What must survive beside the rows, as JSON by name; ``status`` shows it."""
        limits = {"bucket": self._bucket, "digest_at": self._digest_at, "totals": self.totals}
        known = {
            "outbox.path": self.path._asdict() if self.path else None,
            "outbox.delivered": self.delivered,
            "outbox.error": self.error,
            "outbox.limits": limits if self.ledger.rows or self.totals else None,
        }
        return {name: json.dumps(value) for name, value in known.items() if value is not None}

    # what comes in

    def add(self, letter: Letter, now: float) -> None:
        """Take a letter, unless it is known, or ends what nobody has been told of because its slot has not come."""
        self._turn(now)
        if letter.key in self.ledger.rows or (letter.event == "recovered" and self._taken_back(letter, now)):
            return
        if self._admitted(letter, now):
            self._post(letter, now + slot(letter.instance_id, letter.rule, letter.spread), WAITING)
            self._keep_bounds(now)
        else:
            self._fold(letter, "rate", now)

    def _taken_back(self, end: Letter, now: float) -> bool:
        key = self.ledger.beginnings.get(end.fingerprint, "")
        beginning = self.ledger.rows.get(key)
        if not beginning or beginning.status != WAITING or beginning.attempts or now >= beginning.not_before:
            return False
        queue = self.ledger.queues[end.fingerprint]
        untold = queue[queue.index(key) :]
        for each in untold:
            self.ledger.remove(each)
        self.totals["cancelled"] += len(untold) + 1
        return True

    def _admitted(self, letter: Letter, now: float) -> bool:
        """Whether it may go by itself. An end may where its beginning did: who was alarmed hears that it is over."""
        if letter.event in _UNLIMITED or (letter.event == "recovered" and letter.fingerprint in self.ledger.beginnings):
            return True
        bucket = self._bucket.after(now)
        if bucket.tokens < 1:
            return False
        self._bucket = bucket._replace(tokens=bucket.tokens - 1)
        return True

    def _post(self, letter: Letter, not_before: float, status: str) -> None:
        self.ledger.put(Row(0, letter, size(letter), not_before, status))

    # what goes out

    def take(self, now: float, room: int = 10) -> list[Row]:
        """The letters to send now, at most ``room`` of them in flight; each must be answered or put back."""
        self._turn(now)
        for key in [key for key, since in self._in_flight.items() if now - since >= LOST_SECONDS]:
            del self._in_flight[key]  # nobody answers any more: it goes again, under its key
        if self.path:
            room = 1 if now >= self.path.next_at else 0
        room -= len(self._in_flight)
        if room <= 0 or not self.ledger.queues:
            return []
        heads = (queue[0] for queue in self.ledger.queues.values())
        rows = [self.ledger.rows[key] for key in heads if key not in self._in_flight]
        due = [row for row in rows if now >= row.not_before and now >= row.next_at]
        chosen = sorted(due, key=lambda row: (row.attempts, row.seq))[:room]
        self._in_flight.update((row.letter.key, now) for row in chosen)
        return chosen

    def put_back(self, key: str, next_at: float) -> None:
        """It was taken and could not be sent, for a reason that is not the path's."""
        if self._in_flight.pop(key, None) is not None and key in self.ledger.rows:
            self.ledger.delay(key, next_at)

    def answer(self, answer: Answer, now: float, chance: float) -> None:
        """Learn what became of a letter. ``chance``, from 0 to 1, is how much of the longest wait it waits."""
        self._turn(now)
        self._in_flight.pop(answer.key, None)
        row = self.ledger.rows.get(answer.key)
        if row is None or row.status != WAITING:
            return
        if answer.message_id:
            self._arrived(row, answer, now)
            return
        self.error = {"at": now, **answer._asdict()}
        row = replace(row, attempts=row.attempts + 1, error=f"{answer.error} {answer.text}".strip())
        if answer.kind == "poison":
            self._refused(row, now)
        else:
            self._failed(row, answer, now, chance)

    def _arrived(self, row: Row, answer: Answer, now: float) -> None:
        if self.path:  # what waited for the path need not wait any more
            for each in list(self.ledger.waiting()):
                if each.next_at:
                    self.ledger.delay(each.letter.key, 0.0)
        self.path = None
        self.totals["sent"] += 1
        self.delivered = {"at": now, "key": answer.key, "message_id": answer.message_id}
        told = replace(row.letter, body="")
        self.ledger.put(replace(row, letter=told, status=SENT, ended_at=now, message_id=answer.message_id))

    def _refused(self, row: Row, now: float) -> None:
        """Once more in its least form; if that is refused too, it stands in nobody's way."""
        if row.minimal:
            self.totals["parked"] += 1
            row = replace(row, status=PARKED, ended_at=now)
        self.ledger.put(replace(row, minimal=True))

    def _failed(self, row: Row, answer: Answer, now: float, chance: float) -> None:
        since, count = (self.path.since, self.path.failures + 1) if self.path else (now, 1)
        next_at = now + backoff(answer.kind, count, chance)
        self.path = Path(since, answer.kind or "retry", answer.error, answer.text, count, next_at)
        self.ledger.put(replace(row, next_at=now + backoff(answer.kind, row.attempts, chance)))

    # what limits hold back

    def _fold(self, letter: Letter, why: str, now: float) -> None:
        """Count a letter instead of telling it."""
        if self._digest is None:
            key = hexadecimal("digest", letter.key)[:32]
            wait = DIGEST_GATHERS + slot(letter.instance_id, "digest", DIGEST_SPREAD)
            self._digest = key, digest.Digest()
            self._post(
                replace(letter, key=key, event="digest", rule="digest", fingerprint="digest", body="{}", spread=0.0),
                max(now + wait, self._digest_at),
                OPEN,
            )
        counts = self._digest[1]
        if letter.event == "digest":
            counts.merge(digest.read(letter.body))
        else:
            counts.add(letter.rule, letter.event, letter.severity, letter.created_at, letter.fingerprint, why)
            self.totals["folded"] += 1
        self._uncounted = True

    def _keep_bounds(self, now: float) -> None:
        if self.ledger.kept <= ROWS_MOST and self.ledger.bytes <= BYTES_MOST:
            return
        for row in list(self._least_needed()):
            if self.ledger.kept <= ROWS_MOST * _AFTER_FOLDING and self.ledger.bytes <= BYTES_MOST * _AFTER_FOLDING:
                break
            self._fold(row.letter, "bounds", now)
            self.ledger.remove(row.letter.key)

    def _least_needed(self) -> Iterator[Row]:
        """What was told before and will be told again (the middle of a finding's letters); then by age."""
        middle = {key for queue in self.ledger.queues.values() for key in queue[1:-1]}
        rows = sorted(self.ledger.rows.values(), key=lambda row: (row.letter.key not in middle, row.seq))
        return (row for row in rows if row.status in (WAITING, PARKED) and row.letter.key not in self._in_flight)

    # what time does

    def tick(self, now: float) -> None:
        """Close the digest when it is time, and forget what is long told. To be called before what changed is saved."""
        self._turn(now)
        if self._digest:
            self._write_digest(*self._digest, now)
        if now >= self._prune_at:
            self._prune_at = now + _PRUNE_SECONDS
            for row in list(self.ledger.rows.values()):
                if row.ended_at is not None and now - row.ended_at >= KEPT_SECONDS:
                    self.ledger.remove(row.letter.key)

    def _write_digest(self, key: str, counts: digest.Digest, now: float) -> None:
        row = self.ledger.rows[key]
        closed = now >= row.not_before
        if self._uncounted or closed:
            letter = replace(row.letter, body=counts.text(), severity=counts.severity)
            row = replace(row, letter=letter, size=size(letter))
            self._uncounted = False
            if closed:  # from now on it is a letter like others, and always says the same
                row = replace(row, letter=replace(letter, created_at=now), status=WAITING)
                self._digest, self._digest_at = None, now + DIGEST_SECONDS
            self.ledger.put(row)

    def _turn(self, now: float) -> None:
        """A clock that was set back must not make anything wait longer than was planned."""
        back, self._now = self._now - now, now
        if back <= 0:
            return
        self.ledger.earlier(back)
        self._bucket = self._bucket._replace(at=self._bucket.at - back)
        self._in_flight = {key: since - back for key, since in self._in_flight.items()}
        self._digest_at -= back
        self._prune_at -= back
        if self.path:
            self.path = self.path._replace(next_at=self.path.next_at - back)
