"""What lint found. A format of it is a module here with ``render(run)``."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentdoctor.appspec.finding import Problem
from agentdoctor.model import Finding, Rule, Severity, State, Step, Verdict
from agentdoctor.scrub import cut, line

_LONGEST = 300  # characters of a text


@dataclass(frozen=True)
class Lint:
    """One run of lint. ``kind`` is appspec, directory, zip, tar or tgz; ``problems`` is in the order of the file.

    ``errors`` is what lint could not judge, or could not understand: then nothing can be called well. ``base`` is the
    directory that the paths of problems begin in, as a program finds it that runs where lint ran; None where they lie
    in an archive, which that program finds at ``file``.
    """

    path: str
    kind: str
    problems: Sequence[Problem]
    rules: Mapping[str, Rule]
    targets: Sequence[str]
    errors: Sequence[str] = ()
    fail_on: Severity = Severity.WARNING
    base: str | None = ""
    file: str = ""
    appspec: str = ""  # its path in the directory or archive, "" where there is none
    duration_ms: float = 0.0
    group: str | None = None  # the deployment group on the instance that it was held against, "" for a new one

    @property
    def active(self) -> list[Problem]:
        """The problems that nobody allows."""
        return [problem for problem in self.problems if not problem.allowed]

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst of them; None without any."""
        return max((problem.severity for problem in self.active), key=lambda severity: severity.rank, default=None)

    @property
    def exit_code(self) -> int:
        """As of check: 0 nothing at or above fail_on, 1 warning, 2 critical, 3 could not tell."""
        if self.worst and self.worst.rank >= self.fail_on.rank:
            return 2 if self.worst is Severity.CRITICAL else 1
        return 3 if self.errors else 0

    @property
    def status(self) -> str:
        """critical, warning, info, ok or unknown."""
        if self.exit_code == 3:
            return "unknown"
        return self.worst.value if self.worst else "ok"

    def count(self, severity: Severity) -> int:
        """How many problems of a severity nobody allows."""
        return sum(problem.severity is severity for problem in self.active)


def as_finding(problem: Problem, run: Lint) -> Finding:
    """A problem as the words of its rule need it."""
    state = State.SUPPRESSED if problem.allowed else State.ACTIVE
    return Finding(run.rules[problem.rule], state, Verdict.CONFIRMED, details=problem.details)


def steps(problem: Problem, run: Lint) -> list[Step]:
    """What is done where the bundle is made; all where an instance was asked, or the rule is about nothing else."""
    rule = run.rules[problem.rule]
    made = [step for step in rule.remediation if step.where == "repository"]
    return list(rule.remediation) if problem.here or rule.bundle or not made else made


def place(problem: Problem, run: Lint) -> str:
    """path:line:column, as far as they are known."""
    where = line(problem.path or run.path)
    return ":".join([where, *(str(number) for number in (problem.line, problem.column) if problem.line)])


def told(problem: Problem) -> str:
    """What is wrong, in one line."""
    return cut(line(problem.text), _LONGEST)


@dataclass(frozen=True)
class Spot:
    """Where other programs find a problem: ``file`` as they open it, "" for none; line and column from 1, 0 for none.

    Nobody can show a line of a file in an archive, so there the archive is the file, and ``within`` says where in it.
    """

    file: str
    line: int = 0
    column: int = 0
    within: str = ""


def spot(problem: Problem, run: Lint) -> Spot:
    """Of a problem."""
    if run.path == "-":
        return Spot("", within=place(problem, run))
    if run.base is None:
        return Spot(run.file, within=place(problem, run) if problem.path else "")
    path = posixpath.join(run.base, problem.path) if problem.path else run.file
    return Spot(posixpath.normpath(path), problem.line, problem.column)


def sentence(problem: Problem, run: Lint) -> str:
    """What is wrong, with the place where no program can show it."""
    within = spot(problem, run).within
    return f"{within}: {told(problem)}" if within else told(problem)
