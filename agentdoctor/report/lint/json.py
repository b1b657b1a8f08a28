"""What lint found, for programs: one JSON document."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from agentdoctor import __version__
from agentdoctor.appspec.finding import Problem
from agentdoctor.model import Severity
from agentdoctor.report import command, fill
from agentdoctor.report.lint import Lint, as_finding, steps, told
from agentdoctor.scrub import line

SCHEMA = "agentdoctor.lint/1"


def render(run: Lint) -> str:
    """One JSON document of schema agentdoctor.lint/1."""
    return json.dumps(document(run), indent=2, ensure_ascii=True) + "\n"


def schema() -> str:
    """The JSON Schema of it."""
    return resources.files(__package__).joinpath("lint.schema.json").read_text(encoding="utf-8")


def document(run: Lint) -> dict[str, Any]:
    """The report as plain values. Lines and columns count from 1, null where a whole file is meant."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "agentdoctor", "version": __version__},
        "path": line(run.path),
        "kind": run.kind,
        "targets": list(run.targets),
        "against_host": None if run.group is None else {"deployment_group_id": line(run.group) or None},
        "summary": {
            "status": run.status,
            "exit_code": run.exit_code,
            "counts": {severity.value: run.count(severity) for severity in Severity}
            | {"suppressed": len(run.problems) - len(run.active)},
        },
        "findings": [_finding(problem, run) for problem in run.problems],
        "errors": [line(error) for error in run.errors],
    }


def _finding(problem: Problem, run: Lint) -> dict[str, Any]:
    rule, finding = run.rules[problem.rule], as_finding(problem, run)
    return {
        "id": problem.rule,
        "severity": problem.severity.value,
        "state": finding.state.value,
        "title": fill(rule.title, finding, {}),
        "text": told(problem),
        "path": line(problem.path) or None,
        "line": problem.line or None,
        "column": problem.column or None,
        "targets": list(problem.targets),
        "suppression": line(problem.allowed) or None,
        "cause": fill(rule.cause, finding, {}),
        "remediation": [
            {
                "text": fill(step.text, finding, {}),
                "where": step.where,
                "command": command(step.command, finding, {}) or None,
            }
            for step in steps(problem, run)
        ],
        "docs": rule.docs,
    }
