"""A service in small: it reads lines, knows what is open, and tells each change; and it dies where it is told to.

``python -m crash.life DIRECTORY NOW [bear]`` lives in a process of its own, for tools that look at its system calls.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from posting import Clock, letter

from agentdoctor.outbox import Answer, Letter
from agentdoctor.store import Store

LINES = 3  # that one turn reads
EVENTS = {"open": "opened", "worse": "escalated", "close": "recovered"}


class Points:
    """Where a process may die: at number ``last``. ``fine``: at steps of SQLite's machine, else around calls."""

    def __init__(self, last: int = 0, fine: bool = False) -> None:
        self.last, self.fine, self.count = last, fine, 0

    def passed(self) -> None:
        """A point around a call."""
        if not self.fine:
            self._count()

    def step(self) -> None:
        """A point within a statement."""
        if self.fine:
            self._count()

    def _count(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(points: Points) -> None:
    """Let every statement of this process be such a point."""

    class Mortal(sqlite3.Connection):
        def _around(self, call: Callable[..., Any], *arguments: Any) -> Any:
            self.set_progress_handler(points.step, 1)
            points.passed()
            found = call(*arguments)
            points.passed()
            return found

        def execute(self, *arguments: Any) -> Any:
            return self._around(super().execute, *arguments)

        def executemany(self, *arguments: Any) -> Any:
            return self._around(super().executemany, *arguments)

        def executescript(self, *arguments: Any) -> Any:
            return self._around(super().executescript, *arguments)

    sqlite3.connect = functools.partial(sqlite3.connect, factory=Mortal)  # type: ignore[misc,assignment]


def judge(findings: dict[str, str], offset: int, line: str) -> Letter | None:
    """What a line changes: the findings in place, and the letter that tells it, if it is to be told."""
    what, name = line.split()
    known = json.loads(findings.get(name, "null"))
    if (known is None) != (what == "open"):
        if what == "open":
            findings[name] = json.dumps({**known, "count": known["count"] + 1})
        return None
    if what == "close":
        del findings[name]
    else:
        findings[name] = json.dumps({"since": offset, "count": 1} if what == "open" else {**known, "worse": offset})
    return letter(f"{offset}-{EVENTS[what]}", EVENTS[what], name, body=line)


def live(directory: Path, now: float, points: Points, bear: bool = False) -> int:
    """Until all lines are read and all letters told and stored: 0. 3: the state was not usable as it was left.

    ``bear``: the disk may fail, and the life goes on.
    """
    clock = Clock()
    clock.now = now
    store = Store.open(directory / "state", clock)
    if not bear and (store.notices or store.trouble):
        return 3
    more = True
    while more or store.outbox.ledger.queues or store.trouble:
        clock.now += 600
        more = read(store, directory / "log", points)
        publish(store, directory / "topic", points)
    store.close()
    return 0


def read(store: Store, log: Path, points: Points) -> bool:
    """The next lines, and what they mean, stored at once; False at the end."""
    offset, findings, letters = int(store.state["positions"].get("log", "0")), dict(store.state["findings"]), []
    with log.open("rb") as file:
        file.seek(offset)
        lines = [line for _, line in zip(range(LINES), file, strict=False)]
    points.passed()
    for line in lines:
        letters.append(judge(findings, offset, line.decode()))
        offset += len(line)
    told = [each for each in letters if each]
    store.save({"positions": {"log": str(offset)} if offset else {}, "findings": findings}, told)
    points.passed()
    return bool(lines)


def publish(store: Store, topic: Path, points: Points) -> None:
    """Send what is due, and record what became of it."""
    descriptor = os.open(topic, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for row in store.to_send():
        points.passed()
        os.write(descriptor, f"{row.letter.key} {row.letter.body.strip()}\n".encode())  # from here on it has arrived
        points.passed()
        store.answered([Answer(row.letter.key, f"id-{row.letter.key}")])
    os.close(descriptor)
    store.save({})
    points.passed()


if __name__ == "__main__":
    sys.exit(live(Path(sys.argv[1]), float(sys.argv[2]), Points(), sys.argv[3:] == ["bear"]))
