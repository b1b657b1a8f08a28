"""A bundle whose AppSpec has been read: what an instance would have to take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agentdoctor.appspec.finding import Problem
from agentdoctor.appspec.values import Table
from agentdoctor.bundle.entries import Entry
from agentdoctor.bundle.plan import Plan


@dataclass(frozen=True)
class Revision:
    """``root`` is the directory of the AppSpec in the bundle; ``programs`` are the interpreters of its scripts."""

    spec: Table
    root: str
    entries: Mapping[str, Entry]
    plan: Plan
    programs: Mapping[str, str]


# What an instance says to a revision: problems, and what it could not be asked.
Meet = Callable[[Revision], tuple[list[Problem], list[str]]]
