"""What each verb does: put the parts together, print the payload, return the exit code. Here is what they share."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from agentdoctor import rules as catalogue
from agentdoctor.arguments import UsageError
from agentdoctor.model import Rule, Severity
from agentdoctor.nearest import nearest
from agentdoctor.report import Run
from agentdoctor.rules import Catalogue
from agentdoctor.scrub import line
from agentdoctor.settings import Settings, SettingsError
from agentdoctor.settings import load as load_settings
from agentdoctor.verbs.output import deliver

# The module of each verb; all others are in looking.
_MODULES = {
    "config": "configuring",
    "explain": "about_rules",
    "rules": "about_rules",
    "schema": "about_rules",
    "snapshot": "sending",
    "lint": "linting",
    "notify": "notifying",
    "run": "serving",
    "status": "serving",
    "silence": "serving",
    "unsilence": "serving",
}


def run(options: argparse.Namespace) -> int:
    """Do what was typed. A verb is the function of its name, with its action; its module is imported only now."""
    module = _MODULES.get(options.verb, "looking")
    name = f"{options.verb}_{options.action}" if "action" in options else options.verb
    verb: Callable[[argparse.Namespace], int] = getattr(import_module(f"{__name__}.{module}"), name)
    return verb(options)


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings, from the file that was named or the usual one. UsageError if they cannot be used."""
    try:
        return load_settings(options.config)
    except SettingsError as error:
        raise UsageError(str(error)) from None


def load(settings: Settings, samples: bool = False, quiet: bool = False) -> Catalogue:
    """All rules. What is wrong with those of the site is said at once, and becomes a finding of check.

    ``quiet``: it is not said. Icinga takes what a plugin says on stderr for its first line.
    """
    loaded = catalogue.load(settings.rules_dir, samples)
    for problem in loaded.broken if not quiet else ():
        print(f"agentdoctor: left out: {problem}", file=sys.stderr)
    return loaded


def known(ids: Sequence[str], loaded: Catalogue) -> list[Rule]:
    """The rules of these ids. UsageError with the nearest name for one that does not exist."""
    for id_ in ids:
        if loaded.get(id_) is None:
            raise UsageError(f"there is no rule {id_!r}{nearest(id_, loaded.ids)}; agentdoctor rules list has all")
    return [rule for rule in loaded.rules if rule.id in ids]


def on_hosts(rules: Sequence[Rule]) -> list[Rule]:
    """The same rules. UsageError for one that no log and no host can show."""
    for rule in rules:
        if rule.bundle:
            raise UsageError(f"{rule.id} is seen in a bundle alone: agentdoctor lint tells it")
    return list(rules)


def chosen(options: argparse.Namespace, loaded: Catalogue) -> Sequence[Rule]:
    """The rules that --only and --skip leave. UsageError for one that only lint tells, where it is not lint."""
    wanted = known(options.only, loaded)
    only = {rule.id for rule in (wanted if options.verb == "lint" else on_hosts(wanted))}
    skip = {rule.id for rule in known(options.skip, loaded)}
    return [rule for rule in loaded.rules if (not only or rule.id in only) and rule.id not in skip]


def print_run(run: Run, options: argparse.Namespace) -> int:
    """Print a run in the format that was asked for, or write it where it should go; its exit code."""
    run = dataclasses.replace(run, fail_on=Severity(options.fail_on))
    for problem in run.problems if options.format != "nagios" else ():
        print(f"agentdoctor: {line(problem)}", file=sys.stderr)
    deliver(run, options)
    return run.exit_code


def nearest_path(path: str) -> str:
    """The nearest name beside a path that is not there, as the end of an error message."""
    parent = Path(path).parent
    return nearest(Path(path).name, [x.name for x in parent.iterdir()]) if parent.is_dir() else ""
