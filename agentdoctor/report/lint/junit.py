"""What lint found, as JUnit's XML: a case for each problem. It fails when the exit code is not 0, and only then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from agentdoctor import __version__
from agentdoctor.appspec.finding import Problem, named
from agentdoctor.report import fill
from agentdoctor.report.lint import Lint, as_finding, place, steps, told
from agentdoctor.report.suites import clean, document, element, result, seconds, shortened
from agentdoctor.scrub import line, scrub


def render(run: Lint) -> str:
    """One suite; a single case that passed where nothing was found."""
    values = {"version": __version__, "exit_code": str(run.exit_code), "status": run.status, "path": line(run.path)}
    attributes = {"name": "agentdoctor lint", "time": seconds(run.duration_ms)}
    return document(attributes, values, list(_cases(run)) or [_case(line(run.path), "nothing wrong")])


def _cases(run: Lint) -> Iterator[ET.Element]:
    """No name comes twice: readers would show one of them."""
    names: Counter[str] = Counter()
    for problem in run.problems:
        name = f"{problem.rule} {place(problem, run)}"
        names[name] += 1
        case = _case(problem.rule, name + (f" ({names[name]})" if names[name] > 1 else ""))
        case.append(_result(problem, run))
        yield case
    for number, error in enumerate(run.errors, 1):
        case = _case("agentdoctor", f"judged ({number})")
        case.append(result("error", "unknown", error, error))
        yield case


def _case(classname: str, name: str) -> ET.Element:
    return element("testcase", classname=classname, name=name, time=seconds(0))


def _result(problem: Problem, run: Lint) -> ET.Element:
    """A failure if it counts; what is allowed is skipped with its reason, and the rest has passed and is told."""
    if problem.allowed:
        return element("skipped", message=shortened(problem.allowed))
    if problem.severity.rank >= run.fail_on.rank:
        return result("failure", problem.severity.value, told(problem), _text(problem, run))
    out = element("system-out")
    out.text = clean(scrub(_text(problem, run)))
    return out


def _text(problem: Problem, run: Lint) -> str:
    finding = as_finding(problem, run)
    fixes = [f"fix: {fill(step.text, finding, {})}" for step in steps(problem, run)]
    where = f"{place(problem, run)}: {told(problem)} [{named(problem.targets)}]"
    return "\n".join([where, fill(finding.rule.cause, finding, {}), *fixes, f"agentdoctor explain {problem.rule}"])
