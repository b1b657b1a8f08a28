"""What Install will meet on this instance: the plan of a revision against what stands here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agentdoctor.appspec.finding import Problem
from agentdoctor.bundle.revision import Revision
from agentdoctor.forecast import people, programs, room, stopping, targets
from agentdoctor.forecast.instance import Instance

# Each yields problems, and texts of what could not be told.
_PARTS: tuple[tuple[str, Callable[[Revision, Instance], Iterator[Problem | str]]], ...] = (
    ("what stands at the destinations", targets.met),
    ("users and groups", people.missing),
    ("programs", programs.missing),
    ("file systems", room.lacking),
    ("ApplicationStop", stopping.failing),
)


def forecast(revision: Revision, instance: Instance) -> tuple[list[Problem], list[str]]:
    """The problems that this instance will make, and what it could not be asked: that is never well."""
    problems: list[Problem] = []
    unknown: list[str] = []
    for subject, part in _PARTS:
        try:
            for told in part(revision, instance):
                if isinstance(told, str):
                    unknown.append(told)
                else:
                    problems.append(told)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            unknown.append(f"{subject}: {place}{error.strerror or error}")
    return problems, list(dict.fromkeys(unknown))
