"""Logs by the megabyte, always the same for the same plan: text that a host with that share of failures would have."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from pathlib import Path

import agentlog

from agentdoctor.model import Rule

MB = 1 << 20
POLL, RETRY = 60, 10  # seconds that the agent waits for an answer, and after a failure
# A poll is two records, a deployment 42. Of 2,000 steps one is a deployment: about every other day.
DEPLOYMENTS = 1 / 2000
EPISODE = 60  # failures in a row at most: with a back-off of up to 90 s an hour and a half
# Of the healthy ones so many print what looks like an error: 0.02 % of all INFO lines.
QUOTING = 0.1
QUOTED = (
    r"[stdout]old log: Missing credentials - please check if this instance was started with an IAM instance profile\n"
)
CLOCK = [f"{hour:02}:{minute:02}:{second:02}" for hour in range(24) for minute in range(60) for second in range(60)]


@dataclass(frozen=True)
class Plan:
    """An agent log to make. ``errors``: the share of its records that are failures, 0 to 1.

    ``begin`` and ``end``, in seconds since the epoch, are its first and last stamp (UTC). With an end the stamps
    advance with the bytes, as those of a busier host; without one a poll takes a minute.
    """

    size: int
    errors: float
    begin: float = 1_700_000_000.0
    end: float | None = None
    seed: int = 1


def agent_log(folder: Path, plan: Plan, rules: Sequence[Rule]) -> Path:
    """The file of a plan, made if it is not there yet. One that was made from other rules makes room for it."""
    known = agentlog.failures(rules)
    if plan.errors and len(known) < 2:
        raise SystemExit("no rule has a sample of the 1.x agent log: nothing to make failures from")
    key = hashlib.sha256(repr((astuple(plan), known)).encode())
    for source in (__file__, agentlog.__file__):
        key.update(Path(source).read_bytes())
    name = f"agent-{plan.size // MB}mb-{plan.errors * 100:g}pct"
    path = folder / f"{name}-{key.hexdigest()[:12]}.log"
    if not path.exists():
        for outdated in folder.glob(f"{name}-*"):
            outdated.unlink()
        write(path, plan, known)
    return path


def write(path: Path, plan: Plan, known: Sequence[agentlog.Failure]) -> None:
    """Write a log at once; it appears under its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8", newline="\n") as file:
        written, batch, size, passed = 0, list[str](), 0, 0
        for seconds, entry in entries(plan, known):
            passed += seconds
            share = min(1.0, (written + size) / plan.size)
            second = int(plan.begin + (passed if plan.end is None else (plan.end - plan.begin) * share))
            batch.append(f"{_date(second // 86400)}T{CLOCK[second % 86400]}{entry}")
            size += len(batch[-1])
            if size > MB // 4 or written + size >= plan.size:
                file.write("".join(batch))
                written, batch, size = written + size, [], 0
            if written >= plan.size:
                break
    os.replace(part, path)


def entries(plan: Plan, known: Sequence[agentlog.Failure]) -> Iterator[tuple[int, str]]:
    """Entries without their stamps, for ever, each with the seconds that pass before it.

    A failure of the agent itself repeats until somebody mends it; one of a deployment comes once, with a number of
    its own. Healthy steps follow until the share is right again.
    """
    chance, polls, number = random.Random(plan.seed), agentlog.polls(), 0
    records = failed = 0
    while True:
        number += 1
        if failed < plan.errors * records:
            failure = chance.choice(known)
            times = 1 if failure.once else chance.randint(5, EPISODE)
            yield from ((RETRY, failure.of(f"d-{number:09X}", number)) for _ in range(times))
            records, failed = records + times, failed + times
        elif chance.random() < DEPLOYMENTS:
            log = QUOTED if chance.random() < QUOTING else ""
            for entry in agentlog.deployment(f"d-{number:09X}", log):
                records += 1
                yield 1, entry
        else:
            records += 2
            yield 1, agentlog.VERSION
            yield POLL, polls[number % len(polls)]


_dates: dict[int, str] = {}


def _date(day: int) -> str:
    if day not in _dates:
        _dates[day] = datetime.fromtimestamp(day * 86400, timezone.utc).date().isoformat()
    return _dates[day]
