"""One AppSpec, judged: what agents refuse, what its author will regret, and what comments in it allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agentdoctor.appspec.finding import TARGETS, Problem
from agentdoctor.appspec.loading import load
from agentdoctor.appspec.reading import Document
from agentdoctor.appspec.refusals import refusals
from agentdoctor.appspec.regrets import regrets


def lint(document: Document, targets: Sequence[str] = TARGETS) -> list[Problem]:
    """All problems of a file that these targets have, in its order."""
    found = refusals(document)
    if document.root is not None:
        found += regrets(document, load(document.root).value)
    return chosen(found, targets)


def chosen(problems: Iterable[Problem], targets: Sequence[str]) -> list[Problem]:
    """The problems that these targets have, by file and line."""
    found = []
    for problem in problems:
        left = tuple(target for target in targets if target in problem.targets)
        found += [replace(problem, targets=left)] if left else []
    return sorted(found, key=lambda problem: (problem.path, problem.line, problem.column))
