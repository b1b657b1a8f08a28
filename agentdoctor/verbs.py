"""What each verb does: put the parts together, print the payload, return the exit code."""

from __future__ import annotations

import argparse
import dataclasses
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentdoctor import rules as catalogue
from agentdoctor.cli import UsageError, since
from agentdoctor.host import Host
from agentdoctor.model import Rule, Severity
from agentdoctor.nearest import nearest
from agentdoctor.report import Run
from agentdoctor.rules import Catalogue, RuleError
from agentdoctor.settings import Settings, SettingsError
from agentdoctor.settings import load as load_settings

if TYPE_CHECKING:
    from agentdoctor.logs import Stream

VERBS: dict[str, Callable[[argparse.Namespace], int]] = {}


def _verb(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    VERBS[run.__name__.strip("_")] = run
    return run


def _settings(options: argparse.Namespace) -> Settings:
    try:
        return load_settings(options.config)
    except SettingsError as error:
        raise UsageError(str(error)) from None


def _load(settings: Settings, samples: bool = False) -> Catalogue:
    """All rules. What is wrong with those of the site is said at once, and becomes a finding of check."""
    loaded = catalogue.load(settings.rules_dir, samples)
    for problem in loaded.broken:
        print(f"agentdoctor: left out: {problem}", file=sys.stderr)
    return loaded


def _known(ids: Sequence[str], loaded: Catalogue) -> list[Rule]:
    """The rules of these ids. UsageError with the nearest name for one that does not exist."""
    for id_ in ids:
        if loaded.get(id_) is None:
            raise UsageError(f"there is no rule {id_!r}{nearest(id_, loaded.ids)}; agentdoctor rules list has all")
    return [rule for rule in loaded.rules if rule.id in ids]


def _chosen(options: argparse.Namespace, loaded: Catalogue) -> Sequence[Rule]:
    """The rules that --only and --skip leave."""
    only = {rule.id for rule in _known(options.only, loaded)}
    skip = {rule.id for rule in _known(options.skip, loaded)}
    return [rule for rule in loaded.rules if (not only or rule.id in only) and rule.id not in skip]


def _print(run: Run, options: argparse.Namespace) -> int:
    run = dataclasses.replace(run, fail_on=Severity(options.fail_on))
    for problem in run.problems:
        print(f"agentdoctor: {problem}", file=sys.stderr)
    if options.format == "json":
        from agentdoctor.report.json import render as as_json

        text = as_json(run)
    else:
        from agentdoctor.report.text import render as as_text

        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        text = as_text(run, colour=colour, verbose=options.verbose)
    _write(text)
    return run.exit_code


def _write(text: str) -> None:
    """Print a payload; what the terminal's encoding lacks is shown as an escape."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


@_verb
def check(options: argparse.Namespace) -> int:
    """Look at this host, or at a copied tree."""
    from agentdoctor import runs

    settings = _settings(options)
    loaded = _load(settings)
    rules = _chosen(options, loaded)
    root = options.root or (settings.root if settings.root != "/" else "")
    if root:
        host, begin = _snapshot(root), since(options.since) if options.since else None
    else:
        host, begin = Host(imds_endpoint=settings.imds_endpoint), since(options.since)
    host = dataclasses.replace(host, broken_rules=loaded.broken)
    return _print(runs.check(rules, host, begin, options.timeout, not options.no_network), options)


def _snapshot(root: str) -> Host:
    try:
        return Host.snapshot(root)
    except OSError as error:
        raise UsageError(f"--root: {root}: {error.strerror}{_nearest_path(root)}") from None
    except ValueError as error:
        raise UsageError(f"--root: {root}: {error}") from None


def _nearest_path(path: str) -> str:
    parent = Path(path).parent
    return nearest(Path(path).name, [x.name for x in parent.iterdir()]) if parent.is_dir() else ""


@_verb
def scan(options: argparse.Namespace) -> int:
    """Find failures in log text alone."""
    from agentdoctor import runs

    return _print(runs.scan(_chosen(options, _load(_settings(options))), options.files), options)


@_verb
def demo(options: argparse.Namespace) -> int:
    """Diagnose the embedded incident: the two failures of a first deployment."""
    from importlib import resources

    from agentdoctor import runs

    loaded = catalogue.load()
    folder = resources.files("agentdoctor").joinpath("demo")
    codes = []
    for part, title in _INCIDENTS.items():
        with resources.as_file(folder.joinpath(part)) as root:
            run = runs.check(_chosen(options, loaded), Host.snapshot(str(root)))
        codes.append(_print(dataclasses.replace(run, title=title), options))
        _write("\n" if options.format == "text" else "")
    return max(codes)


_INCIDENTS = {
    "no-credentials": "A recorded incident, not this host (1 of 2): the agent starts and gets no work",
    "appspec-yaml": "A recorded incident, not this host (2 of 2): it has a role now, and the deployment fails",
}


@_verb
def explain(options: argparse.Namespace) -> int:
    """Print the page of a rule."""
    from agentdoctor.report.page import render

    loaded = _load(_settings(options), samples=True)
    (rule,) = _known([options.id], loaded)
    _write(render(rule, loaded.rules))
    return 0


@_verb
def rules_list(options: argparse.Namespace) -> int:
    """Print all rules, a line each."""
    loaded = _load(_settings(options))
    _write("".join(f"{rule.id:<32} {rule.severity.value:<9} {rule.title}\n" for rule in loaded.rules))
    return 0


@_verb
def rules_show(options: argparse.Namespace) -> int:
    """Print the file of a rule."""
    (rule,) = _known([options.id], _load(_settings(options)))
    _write(Path(rule.origin).read_text(encoding="utf-8"))
    return 0


@_verb
def rules_test(options: argparse.Namespace) -> int:
    """Run the samples of all rules, shipped and of this site."""
    from agentdoctor.rules.lint import run_samples

    settings = _settings(options)
    loaded = _load(settings, samples=True)
    chosen = _known(options.id, loaded) if options.id else list(loaded.rules)
    problems = [f"{rule.origin}: {text}" for rule in chosen for text in run_samples(rule, loaded.rules)]
    samples = sum(len(rule.samples) for rule in chosen)
    return _judged([*loaded.broken, *problems], f"{samples} samples of {len(chosen)} rules")


@_verb
def rules_lint(options: argparse.Namespace) -> int:
    """Judge all rules, or the named rule files beside the shipped ones."""
    from agentdoctor.rules.lint import lint

    settings = _settings(options)
    loaded = catalogue.load(None if options.file else settings.rules_dir, samples=True)
    own, broken = _own(options.file) if options.file else (list(loaded.rules), list(loaded.broken))
    everything = [*(rule for rule in loaded.rules if rule.id not in {x.id for x in own}), *own]
    problems = [f"{rule.origin}: {text}" for rule in own for text in lint(rule, everything)]
    return _judged([*broken, *problems], f"{len(own)} rules")


@_verb
def rules_draft(options: argparse.Namespace) -> int:
    """Print the skeleton of a rule for the first error in a log that no rule explains."""
    from agentdoctor.rules.draft import draft
    from agentdoctor.rules.schema import parse

    loaded = _load(_settings(options))
    if loaded.get(options.id):
        raise UsageError(f"--id: there is a rule {options.id!r} already")
    try:
        with _seekable(options.logfile) as stream:
            drafted = draft(stream, options.logfile, loaded.rules, options.id)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        near = _nearest_path(options.logfile) if isinstance(error, FileNotFoundError) else ""
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
    _write(text)
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
    _write("".join(f"{problem}\n" for problem in problems))
    _write(f"{what}: {len(problems)} problem(s)\n" if problems else f"{what}: all good\n")
    return 2 if problems else 0


@_verb
def schema(options: argparse.Namespace) -> int:
    """Print the JSON Schema of the report."""
    from agentdoctor.report.json import schema as text

    _write(text())
    return 0
