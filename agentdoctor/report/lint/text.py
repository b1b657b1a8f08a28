"""What lint found, for people: each rule once, with all its places."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from agentdoctor.appspec.finding import Problem, named
from agentdoctor.model import Severity
from agentdoctor.report import command, fill
from agentdoctor.report.lint import Lint, as_finding, place, steps, told
from agentdoctor.report.text import COLOURS, WIDTH, labelled
from agentdoctor.scrub import line

_SHOWN = 8  # places of one rule


def render(run: Lint, colour: bool = False, verbose: bool = False) -> str:
    """The whole screen: each rule once, with all its places; ``verbose`` with more of them."""
    parts = [_first(run, colour)]
    parts += ["\n".join(_rule(problems, run, verbose)) for problems in _by_rule(run.active)]
    allowed = [problem for problem in run.problems if problem.allowed]
    if allowed:
        parts.append("\n".join([" ignored:", *(_wrapped("   ", _allowed(problem, run)) for problem in allowed)]))
    if run.errors:
        parts.append("\n".join([" errors:", *(_wrapped("   ", line(error)) for error in run.errors)]))
    parts.append(_wrapped(" ", _last(run)))
    return "\n\n".join(parts) + "\n"


def _first(run: Lint, colour: bool) -> str:
    status = run.status.upper()
    shown = f"{COLOURS.get(run.status, '')}{status}\x1b[0m" if colour else status
    if not run.active:
        return f"{shown} {line(run.path)}: " + ("not all of it could be judged" if run.errors else "nothing wrong")
    rules = len(_by_rule(run.active))
    first = max(run.active, key=lambda problem: problem.severity.rank)
    title = fill(run.rules[first.rule].title, as_finding(first, run), {})
    return f"{shown} {line(run.path)}: {title}" + (f", and {rules - 1} more" if rules > 1 else "")


def _by_rule(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Problems of one rule and severity together, the worst first, in the order of the file."""
    groups: dict[tuple[int, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((-problem.severity.rank, problem.rule), []).append(problem)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


_MARKS = {Severity.CRITICAL: "X", Severity.WARNING: "!", Severity.INFO: "i"}


def _rule(problems: list[Problem], run: Lint, verbose: bool) -> Iterator[str]:
    first = problems[0]
    finding, severity = as_finding(first, run), first.severity.value.upper()
    row = f" {_MARKS[first.severity]} {first.rule}   {fill(finding.rule.title, finding, {})}"
    yield f"{row:<{WIDTH - len(severity)}}{severity}" if len(row) + len(severity) < WIDTH else f"{row}   {severity}"
    places = [f"{place(problem, run)}: {told(problem)}{_which(problem, run)}" for problem in problems]
    left = 0 if verbose else len(places) - _SHOWN
    shown = [*places[:_SHOWN], f"and {left} more (-v shows them)"] if left > 0 else places
    yield from labelled("why", shown)
    for number, step in enumerate(steps(first, run), 1):
        text = f"{number} {fill(step.text, finding, {})} [{step.where}]"
        yield from labelled("fix" if number == 1 else "", [text])
        yield from (f"              {row}" for row in command(step.command, finding, {}).splitlines())
    yield from labelled("more", [f"agentdoctor explain {first.rule}"])


def _which(problem: Problem, run: Lint) -> str:
    """For which agents it is so, if not for all that were asked for."""
    return "" if set(problem.targets) == set(run.targets) else f" [{named(problem.targets)}]"


def _allowed(problem: Problem, run: Lint) -> str:
    return f"{place(problem, run)} {problem.rule}: {line(problem.allowed)}"


def _last(run: Lint) -> str:
    counts = [f"{run.count(severity)} {severity.value}" for severity in _MARKS]
    total = f"{len(run.active)} finding{'' if len(run.active) == 1 else 's'}"
    allowed = len(run.problems) - len(run.active)
    return f"{total}: {', '.join(counts)}, {allowed} ignored; judged for {named(run.targets)}{_against(run)}"


def _against(run: Lint) -> str:
    if run.group is None:
        return ""
    return f" and this host, {f'group {line(run.group)}' if run.group else 'a group that is new here'}"


def _wrapped(indent: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
