"""What lint found, as workflow commands of GitHub Actions, which show it at its line in a pull request.

GitHub shows ten of each level for a step; the log of the step has them all.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentdoctor.appspec.finding import Problem, named
from agentdoctor.model import Severity
from agentdoctor.report import fill
from agentdoctor.report.lint import Lint, as_finding, sentence, spot, steps
from agentdoctor.scrub import line, scrub

_LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(run: Lint) -> str:
    """A command for each problem that nobody allows, and for each thing that could not be judged; then the counts."""
    worst_first = sorted(run.active, key=lambda problem: -problem.severity.rank)
    rows = [_problem(problem, run) for problem in worst_first]
    rows += [_command("error", {"title": "lint could not judge this"}, line(error)) for error in run.errors]
    return "\n".join([*rows, _last(run)]) + "\n"


def _problem(problem: Problem, run: Lint) -> str:
    finding, where = as_finding(problem, run), spot(problem, run)
    properties = {
        "file": scrub(where.file),
        "line": str(where.line or ""),
        "col": str(where.column or "") if where.line else "",
        "title": f"{problem.rule}: {fill(finding.rule.title, finding, {})}",
    }
    return _command(_LEVELS[problem.severity], properties, "\n".join(_message(problem, run)))


def _message(problem: Problem, run: Lint) -> Iterator[str]:
    which = "" if set(problem.targets) == set(run.targets) else f" [{named(problem.targets)}]"
    yield sentence(problem, run) + which
    finding = as_finding(problem, run)
    for step in steps(problem, run):
        yield f"Fix: {fill(step.text, finding, {})}"
    yield f"More: agentdoctor explain {problem.rule}"


def _command(level: str, properties: dict[str, str], message: str) -> str:
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{level} {told}::{_data(message)}"


def _data(text: str) -> str:
    """A message, as the runner reads it back (actions/toolkit, command.ts): the percent sign first."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value of a property, which a colon or a comma would end."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _last(run: Lint) -> str:
    counts = ", ".join(f"{run.count(severity)} {severity.value}" for severity in _LEVELS)
    return f"agentdoctor lint: {counts}, {len(run.problems) - len(run.active)} ignored"
