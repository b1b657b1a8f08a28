"""Letters for tests, and a topic in virtual time."""

from __future__ import annotations

import heapq
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from agentdoctor.outbox import Answer, Letter, Outbox, Row

LONG = os.environ.get("AGENTDOCTOR_LONG") == "1"
START = 1_800_000_000.0


class Clock:
    """A time that stands still until it is set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def letter(key: str, event: str = "opened", finding: str = "disk-full", at: float = START, **more: object) -> Letter:
    """A change of a finding."""
    known: dict[str, object] = {
        "key": key, "event": event, "rule": finding.partition("/")[0], "severity": "critical", "instance_id": "i-1",
        "deployment_group": "web", "fingerprint": finding, "created_at": at, "body": json.dumps({"key": key}),
    }  # fmt: skip
    return Letter(**{**known, **more})  # type: ignore[arg-type]


def keys(rows: list[Row]) -> list[str]:
    return [row.letter.key for row in rows]


def sent(outbox: Outbox, now: float, key: str) -> None:
    """The topic took it."""
    outbox.answer(Answer(key, f"message-{key}"), now, 0.5)


def failed(outbox: Outbox, now: float, key: str, kind: str = "retry", error: str = "Throttled") -> None:
    outbox.answer(Answer(key, kind=kind, error=error, text="no"), now, 1.0)


def drain(outbox: Outbox, now: float, limit: int = 100_000) -> list[Letter]:
    """Send all that is due at this moment, and say what it was."""
    out: list[Letter] = []
    for _ in range(limit):
        rows = outbox.take(now)
        if not rows:
            return out
        for row in rows:
            out.append(row.letter)
            sent(outbox, now, row.letter.key)
    raise AssertionError("it never ends")


@dataclass
class Virtual:
    """Hosts with an outbox each, one topic, and a clock that jumps from one thing to the next.

    ``topic`` gets the time and a letter and answers. Hosts look at their outbox once a second.
    """

    topic: Callable[[float, Letter], Answer]
    hosts: list[Outbox]
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    tried: Counter[int] = field(default_factory=Counter)  # second -> publish calls
    arrived: list[tuple[float, int, Letter]] = field(default_factory=list)  # when, host, what

    def run(self, begin: float, end: float) -> None:
        """Let the hosts send what is due, until the end or until nothing is left."""
        turns = [(begin + self.chance.random(), number) for number in range(len(self.hosts))]
        heapq.heapify(turns)
        while turns and turns[0][0] < end:
            now, number = heapq.heappop(turns)
            outbox = self.hosts[number]
            outbox.tick(now)
            self._send(outbox, number, now)
            if (then := wake(outbox, now)) is not None:
                heapq.heappush(turns, (max(now + 1.0, then), number))

    def _send(self, outbox: Outbox, number: int, now: float) -> None:
        for row in outbox.take(now):
            self.tried[int(now)] += 1
            answer = self.topic(now, row.letter)
            if answer.message_id:
                self.arrived.append((now, number, row.letter))
            outbox.answer(answer, now, self.chance.random())


def wake(outbox: Outbox, now: float) -> float | None:
    """When a host may have something to do: so long the simulation skips its idle seconds. None: it has nothing."""
    waits = list(_waits(outbox))
    if not waits:
        return None
    return max(min(waits), outbox.path.next_at if outbox.path else now)


def _waits(outbox: Outbox) -> Iterator[float]:
    for queue in outbox.ledger.queues.values():
        row = outbox.ledger.rows[queue[0]]
        yield max(row.not_before, row.next_at)
    for row in outbox.ledger.rows.values():
        if row.status == "open":
            yield row.not_before
