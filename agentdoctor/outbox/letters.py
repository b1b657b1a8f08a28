"""The nouns of telling: a letter, its way so far, what became of it, and the way to the topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LATE_SECONDS, BROKEN_SECONDS = 120.0, 900.0
WAITING, OPEN, SENT, PARKED = "waiting", "open", "sent", "parked"
_ROW_BYTES = 512  # beside its body


@dataclass(frozen=True, slots=True)
class Letter:
    """One change of one finding, on its way to people."""

    key: str  # stable deduplication id: at most 128 characters of A-Z, a-z, 0-9 and -
    event: str  # opened, escalated, recovered, test, digest
    rule: str
    severity: str
    instance_id: str
    deployment_group: str
    fingerprint: str
    created_at: float  # seconds since the epoch
    body: str  # the finding as JSON text, without secrets
    spread: float = 0.0  # over so many seconds the fleet spreads it; what ends before its slot was nothing to tell


class Answer(NamedTuple):
    """What became of a letter: a message id, or a failure of some kind."""

    key: str
    message_id: str = ""
    kind: str = ""  # retry: later; hold: somebody must mend the path; poison: not in this form
    error: str = ""  # the code
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A letter and its way so far. The body may be on disk alone; ``next_at`` is forgotten by a restart."""

    seq: int
    letter: Letter
    size: int  # bytes, of the whole
    not_before: float
    status: str = WAITING  # waiting, open (a digest that still counts), sent, parked (refused for good)
    attempts: int = 0
    minimal: bool = False  # its full form was refused: it goes in its least
    error: str = ""  # the last one
    ended_at: float | None = None  # when it was sent or parked
    message_id: str = ""
    next_at: float = 0.0


class Path(NamedTuple):
    """A way to the topic that fails: since when, how, how often in a row, and when it is tried again."""

    since: float
    kind: str
    error: str
    text: str
    failures: int
    next_at: float

    def broken(self, now: float) -> bool:
        """Whether this is more than a passing fault: a person must act, or it has lasted a quarter of an hour."""
        return self.kind == "hold" or abs(now - self.since) >= BROKEN_SECONDS


def size(letter: Letter) -> int:
    """What a letter takes on disk, in bytes."""
    return _ROW_BYTES + len(letter.body.encode("utf-8", "surrogatepass"))


def is_late(letter: Letter, now: float) -> bool:
    """Whether it could not be sent when it was to be, and must be told with both times, its own and the present."""
    return now - letter.created_at > letter.spread + LATE_SECONDS
