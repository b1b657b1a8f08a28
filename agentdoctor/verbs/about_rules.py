"""The verbs about rules and formats: they look at no host."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentdoctor import rules as catalogue
from agentdoctor.arguments import UsageError
from agentdoctor.model import Rule
from agentdoctor.rules import RuleError
from agentdoctor.verbs import known, load, nearest_path, settings_of
from agentdoctor.verbs.output import write

if TYPE_CHECKING:
    from agentdoctor.logs import Stream


def explain(options: argparse.Namespace) -> int:
    """Print the page of a rule."""
    from agentdoctor.report.page import render

    loaded = load(settings_of(options), samples=True)
    (rule,) = known([options.id], loaded)
    write(render(rule, loaded.rules))
    return 0


def rules_list(options: argparse.Namespace) -> int:
    """Print all rules, a line each."""
    loaded = load(settings_of(options))
    write("".join(f"{rule.id:<32} {rule.severity.value:<9} {rule.title}\n" for rule in loaded.rules))
    return 0


def rules_show(options: argparse.Namespace) -> int:
    """Print the file of a rule."""
    (rule,) = known([options.id], load(settings_of(options)))
    write(Path(rule.origin).read_text(encoding="utf-8"))
    return 0


def rules_test(options: argparse.Namespace) -> int:
    """Run the samples of all rules, shipped and of this site."""
    from agentdoctor.rules.lint import run_samples

    settings = settings_of(options)
    loaded = load(settings, samples=True)
    chosen = known(options.id, loaded) if options.id else list(loaded.rules)
    problems = [f"{rule.origin}: {text}" for rule in chosen for text in run_samples(rule, loaded.rules)]
    samples = sum(len(rule.samples) for rule in chosen)
    return _judged([*loaded.broken, *problems], f"{samples} samples of {len(chosen)} rules")


def rules_lint(options: argparse.Namespace) -> int:
    """Judge all rules, or the named rule files beside the shipped ones."""
    from agentdoctor.rules.lint import lint

    settings = settings_of(options)
    loaded = catalogue.load(None if options.file else settings.rules_dir, samples=True)
    own, broken = _own(options.file) if options.file else (list(loaded.rules), list(loaded.broken))
    everything = [*(rule for rule in loaded.rules if rule.id not in {x.id for x in own}), *own]
    problems = [f"{rule.origin}: {text}" for rule in own for text in lint(rule, everything)]
    return _judged([*broken, *problems], f"{len(own)} rules")


def rules_draft(options: argparse.Namespace) -> int:
    """Print the skeleton of a rule for the first error in a log that no rule explains."""
    from agentdoctor.rules.draft import draft
    from agentdoctor.rules.schema import parse

    loaded = load(settings_of(options))
    if loaded.get(options.id):
        raise UsageError(f"--id: there is a rule {options.id!r} already")
    try:
        with _seekable(options.logfile) as stream:
            drafted = draft(stream, options.logfile, loaded.rules, options.id)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        near = nearest_path(options.logfile) if isinstance(error, FileNotFoundError) else ""
        raise UsageError(f"{options.logfile}: {reason}{near}") from None
    if drafted is None:
        raise UsageError(f"{options.logfile}: holds no error that the rules do not explain; nothing to draft")
    name, text = drafted
    try:
        named = parse(text, f"{name}.yaml").id
    except RuleError as error:
        raise UsageError(f"--id: {error}") from None
    if named != name:
        raise UsageError(f"--id: {name!r} is not the name of a file")
    write(text)
    return 0


def _seekable(path: str) -> Stream:
    """A log that is read twice, first through and then where the error stands."""
    from agentdoctor.logs import open_log

    return io.BytesIO(sys.stdin.buffer.read()) if path == "-" else open_log(path)


def _own(files: Sequence[str]) -> tuple[list[Rule], list[str]]:
    rules, broken = [], []
    for name in files:
        try:
            rules.append(catalogue.read(Path(name)))
        except RuleError as error:
            broken.append(str(error))
    return rules, broken


def _judged(problems: Sequence[str], what: str) -> int:
    """Problems on stdout, they are the payload; 2 if there are any: such a rule cannot be relied on."""
    write("".join(f"{problem}\n" for problem in problems))
    write(f"{what}: {len(problems)} problem(s)\n" if problems else f"{what}: all good\n")
    return 2 if problems else 0


def schema(options: argparse.Namespace) -> int:
    """Print the JSON Schema of the report, of a line of it, or of what lint writes."""
    from agentdoctor.report import json, jsonl
    from agentdoctor.report.lint import json as lint

    write({"report": json.schema, "line": jsonl.schema, "lint": lint.schema}[options.name]())
    return 0
