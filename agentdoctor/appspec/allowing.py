"""Comments in the AppSpec that allow a finding: ``# agentdoctor: ignore ID -- reason``.

Behind a value it counts for that line, on a line of its own for the next line that is none, and above everything else,
with an empty line below it, for the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from agentdoctor.appspec.finding import Problem
from agentdoctor.nearest import nearest

_COMMENT = re.compile(r"(?:^|\s)#\s*agentdoctor:\s*ignore\b\s*(?P<id>[\w-]*)(?P<rest>.*)", re.IGNORECASE)
_MENTIONED = re.compile(r"#\s*agentdoctor\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Allowed:
    """What a comment allows; ``line`` is the one it counts for, from 1, 0 for all."""

    rule: str
    reason: str
    line: int


def comments(raw: bytes, known: Collection[str]) -> tuple[list[Allowed], list[str]]:
    """What the comments of an AppSpec allow, and those that count for nothing, with why."""
    rows = raw.decode("utf-8", "replace").splitlines()
    lines = _lines(rows)
    found, wrong = [], []
    for number, row in enumerate(rows, 1):
        told = _COMMENT.search(row)
        dashes, reason = (told["rest"].strip()[:2], told["rest"].strip()[2:].strip()) if told else ("", "")
        if not told or dashes not in ("", "--"):
            wrong += [f"line {number}: this comment is not understood"] if _MENTIONED.search(row) else []
        elif told["id"] not in known:
            wrong.append(f"line {number}: there is no rule {told['id']!r} to ignore{nearest(told['id'], known)}")
        elif not reason:
            wrong.append(f"line {number}: ignore {told['id']} needs a reason, as in: ignore {told['id']} -- why")
        else:
            found.append(Allowed(told["id"], reason, lines[number - 1]))
    return found, wrong


def _lines(rows: Sequence[str]) -> list[int]:
    """For each line the one that a comment on it counts for; 0 is the whole file."""
    found, below, blank = [0] * len(rows), 0, False
    first = next((number for number, row in enumerate(rows, 1) if _tells(row)), len(rows) + 1)
    for number in range(len(rows), 0, -1):
        row = rows[number - 1]
        if _tells(row):
            below = number
        blank = blank or (number < first and not row.strip())
        found[number - 1] = 0 if blank else below
    return found


def _tells(row: str) -> bool:
    """Whether there is more in a line than blanks and a comment."""
    return bool(row.strip()) and not row.lstrip().startswith("#")


def allow(problems: Sequence[Problem], allowed: Sequence[Allowed], path: str = "") -> list[Problem]:
    """The problems, with the reason at those that somebody allows. Lines are those of the AppSpec, at ``path``."""
    reasons = {(one.rule, one.line): one.reason for one in allowed}
    found = []
    for problem in problems:
        own = reasons.get((problem.rule, problem.line)) if problem.path == path else None
        found.append(replace(problem, allowed=own or reasons.get((problem.rule, 0), "")))
    return found
