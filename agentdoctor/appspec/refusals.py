"""What each kind of agent refuses in an AppSpec, and where it is written."""

from __future__ import annotations

from dataclasses import replace

from agentdoctor.appspec.finding import RUBIES, RUST, Problem
from agentdoctor.appspec.loading import load
from agentdoctor.appspec.reading import Document
from agentdoctor.appspec.typed import refused
from agentdoctor.appspec.verdict import judge


def refusals(document: Document) -> list[Problem]:
    """All that agents refuse; the first for a target is the reason that its agent gives."""
    if document.syntax:
        wrong = document.syntax
        return [Problem("appspec-yaml-invalid", f"no YAML: {wrong.problem}", wrong.line or 0, wrong.column or 0)]
    if document.root is None:
        return [Problem("appspec-empty", "there is nothing in it but blanks and comments")]
    loaded = load(document.root)
    ruby = [_of_ruby(problem) for problem in [*loaded.problems, *judge(loaded.value)]]
    found = _together(ruby, _second(document) + refused(document.root))
    return [_hidden(problem) for problem in found] if document.bom else found


def _of_ruby(problem: Problem) -> Problem:
    return replace(problem, targets=RUBIES) if RUST in problem.targets else problem


def _hidden(problem: Problem) -> Problem:
    """What is missing behind a byte order mark is there, and the agent does not see it."""
    if problem.rule != "appspec-os-unsupported":
        return problem
    return replace(problem, text="the byte order mark before the first key hides the others, os among them", line=1)


def _second(document: Document) -> list[Problem]:
    if document.more is None:
        return []
    return [Problem("appspec-yaml-invalid", "agent 2.x refuses a second document", document.more, 1, targets=(RUST,))]


def _together(ruby: list[Problem], rust: list[Problem]) -> list[Problem]:
    """What both generations refuse at one place for one reason is one problem; the words are those of 1.x."""
    both = {(p.rule, p.line, p.column) for p in ruby} & {(p.rule, p.line, p.column) for p in rust}
    named = [replace(p, targets=(*p.targets, RUST)) if (p.rule, p.line, p.column) in both else p for p in ruby]
    return named + [p for p in rust if (p.rule, p.line, p.column) not in both]


def reason(problems: list[Problem], target: str) -> Problem | None:
    """The first problem of a target: what its agent says. None if it takes the AppSpec."""
    return next((problem for problem in problems if target in problem.targets), None)
