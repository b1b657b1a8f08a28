"""What lint found, as SARIF 2.1.0 (OASIS), which GitHub's code scanning and editors read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from agentdoctor import __version__
from agentdoctor.appspec.finding import Problem, named
from agentdoctor.digests import hexadecimal
from agentdoctor.model import Rule, Severity
from agentdoctor.report import fill, page
from agentdoctor.report.lint import Lint, Spot, as_finding, sentence, spot
from agentdoctor.scrub import line

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "%SRCROOT%"  # what the reader takes for the directory that relative paths begin in
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # stands for no byte of a name, and for no letter
_FINGERPRINT = "agentdoctor/v1"


def render(run: Lint) -> str:
    """One log with one run. ASCII."""
    rules = [run.rules[id_] for id_ in sorted({problem.rule for problem in run.problems})]
    order = [rule.id for rule in rules]
    prints = _fingerprints(run)
    told = {
        "tool": {"driver": _driver(rules, run)},
        "invocations": [_invocation(run)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(*both, order, run) for both in zip(run.problems, prints, strict=True)],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [told]}, indent=2) + "\n"


def _driver(rules: Sequence[Rule], run: Lint) -> dict[str, Any]:
    return {"name": "agentdoctor", "version": __version__, "rules": [_rule(rule, run) for rule in rules]}


def _rule(rule: Rule, run: Lint) -> dict[str, Any]:
    """As its page has it; a name in braces stands for what differs from finding to finding."""
    everything = list(run.rules.values())
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.cause},
        "help": {"text": page.render(rule, everything)},
        "helpUri": rule.docs,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.area, "codedeploy"]},
    }


def _invocation(run: Lint) -> dict[str, Any]:
    """Whether all was judged, and what was not."""
    errors = [{"level": "error", "message": {"text": line(error)}} for error in run.errors]
    told = {"executionSuccessful": not errors, "exitCode": run.exit_code}
    return {**told, **({"toolExecutionNotifications": errors} if errors else {})}


def _fingerprints(run: Lint) -> list[str]:
    """What stays the same when lines above it change; of equal problems their number among these tells them apart."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for problem in run.problems:
        parts = (problem.rule, problem.path, problem.text)
        seen[parts] += 1
        found.append(hexadecimal(*parts, str(seen[parts]))[:32])
    return found


def _result(problem: Problem, fingerprint: str, order: Sequence[str], run: Lint) -> dict[str, Any]:
    finding, where = as_finding(problem, run), spot(problem, run)
    title = fill(finding.rule.title, finding, {})
    which = "" if set(problem.targets) == set(run.targets) else f" [{named(problem.targets)}]"
    told: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": order.index(problem.rule),
        "level": _LEVELS[problem.severity],
        "message": {"text": f"{title}: {sentence(problem, run)}{which}"},
        "locations": [_location(where)] if where.file else [],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    if problem.allowed:
        reason = {"kind": "inSource", "status": "accepted", "justification": line(problem.allowed)}
        told["suppressions"] = [reason]
    return told


def _location(where: Spot) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(where.file)}
    if where.line:
        column = {"startColumn": where.column} if where.column else {}
        physical["region"] = {"startLine": where.line, **column}
    return {"physicalLocation": physical}


def _artifact(path: str) -> dict[str, str]:
    """Any name as a URI: its own bytes, escaped. A relative one must not look as if it began with a scheme."""
    written = quote(_LONE.sub("?", path), errors="surrogateescape")
    return {"uri": f"file://{written}"} if path.startswith("/") else {"uri": written, "uriBaseId": _ROOT}
