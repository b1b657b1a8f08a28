"""The verb that judges a bundle before anybody deploys it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentdoctor.appspec.allowing import allow, comments
from agentdoctor.appspec.finding import RUBIES, RUBY_30, RUBY_31, RUST, TARGETS
from agentdoctor.appspec.lint import lint as appspec_lint
from agentdoctor.appspec.reading import LIMIT, read
from agentdoctor.arguments import UsageError
from agentdoctor.bundle.entries import Bundle
from agentdoctor.bundle.judging import judge
from agentdoctor.bundle.opening import opened
from agentdoctor.bundle.place import find, unwrapped, wrapping
from agentdoctor.bundle.revision import Meet
from agentdoctor.model import Severity
from agentdoctor.report.lint import Lint
from agentdoctor.rules import Catalogue
from agentdoctor.settings import Settings
from agentdoctor.verbs import chosen, load, nearest_path, settings_of
from agentdoctor.verbs.output import deliver

if TYPE_CHECKING:
    from agentdoctor.forecast.instance import Instance

_SECONDS = 30.0  # for all that an instance is asked; a check has less, because people wait for it every time
_NAMES = ("appspec.yml", "appspec.yaml")


def lint(options: argparse.Namespace) -> int:
    """Judge an AppSpec, alone or with its bundle; with --fix put right what can be, and judge what is left."""
    if options.yes and not options.fix:
        raise UsageError("--yes is for --fix")
    if options.fix and options.format != "text":
        raise UsageError(f"--fix shows a diff, which is no part of --format {options.format}")
    settings = settings_of(options)
    loaded = load(settings)
    instance = _instance(options, settings)
    run = _run(options, loaded, instance)
    if options.fix:
        from agentdoctor.verbs.fixing import fix

        run = _run(options, loaded, instance) if fix(run, options.yes, options.verbose) else run
    deliver(run, options)
    return run.exit_code


def _run(options: argparse.Namespace, loaded: Catalogue, instance: Instance | None) -> Lint:
    started = time.monotonic()
    kept = {rule.id for rule in chosen(options, loaded)}
    judged = _judge(options, _targets(options, instance), loaded, instance)
    return replace(
        judged,
        problems=[problem for problem in judged.problems if problem.rule in kept],
        fail_on=Severity(options.fail_on),
        duration_ms=(time.monotonic() - started) * 1000,
    )


def _instance(options: argparse.Namespace, settings: Settings) -> Instance | None:
    """The instance that it is held against, if it is."""
    if not options.against_host:
        if options.deployment_group_id:
            raise UsageError("--deployment-group-id is for --against-host")
        return None
    if options.appspec_only or options.path == "-":
        raise UsageError("--against-host needs the bundle: only that tells which files Install brings")
    from agentdoctor.asking import Asker
    from agentdoctor.forecast.instance import GroupUnclear, chosen
    from agentdoctor.host import Host

    try:
        host = Host.at(settings.root, settings.imds_endpoint)
        return chosen(host, Asker(host, _SECONDS).ask, options.deployment_group_id or "")
    except GroupUnclear as error:
        raise UsageError(f"--deployment-group-id: {error}") from None
    except OSError as error:
        raise UsageError(
            f"--against-host: {error.filename or settings.root}: {error.strerror or error}; sudo may help"
        ) from None
    except ValueError as error:
        raise UsageError(f"--against-host: {settings.root}: {error}") from None


def _targets(options: argparse.Namespace, instance: Instance | None) -> Sequence[str]:
    """What the judgement is for. Who names a Ruby means agent 1.8: the other one has none.

    Who names neither means the agent of the instance, if one is asked.
    """
    if instance and not (options.agent or options.ruby):
        from agentdoctor.forecast.instance import targets

        return targets(instance.ask)
    if options.agent == "2.x":
        if options.ruby:
            raise UsageError("--ruby is for agent 1.8; agent 2.x needs no Ruby")
        return (RUST,)
    if options.ruby:
        return (RUBY_30,) if options.ruby == "3.0" else (RUBY_31,)
    return RUBIES if options.agent else TARGETS


def _judge(options: argparse.Namespace, targets: Sequence[str], loaded: Catalogue, instance: Instance | None) -> Lint:
    """What is wrong with what lies at the path, whichever rules were asked for."""
    bundle = None if options.appspec_only or options.path == "-" else _bundle(options.path)
    run = Lint(options.path, "appspec", [], {rule.id: rule for rule in loaded.rules}, targets)
    if bundle is not None:
        problems, errors = judge(bundle, targets, loaded.ids, _meet(instance))
        base = os.path.join(_seen(options.path), wrapping(bundle)) if bundle.kind == "directory" else None
        file = _seen(options.path) if base is None else base
        run = replace(run, group=instance.group if instance else None)
        place = find(dict(unwrapped(bundle).entries))
        appspec = place.path if place.appspec else ""
        return replace(run, kind=bundle.kind, problems=problems, errors=errors, base=base, file=file, appspec=appspec)
    if instance:
        raise UsageError(f"{options.path} is an AppSpec alone; --against-host needs its bundle")
    path = _appspec(options.path) if options.appspec_only else options.path
    raw = _content(path)
    allowed, wrong = comments(raw, loaded.ids)
    found = [replace(problem, path=_seen(path)) for problem in appspec_lint(read(raw), targets)]
    errors = [f"{path}: {text}" for text in wrong]
    return replace(run, problems=allow(found, allowed, _seen(path)), errors=errors, file=_seen(path))


def _meet(instance: Instance | None) -> Meet | None:
    if instance is None:
        return None
    from agentdoctor.forecast import forecast

    return lambda revision: forecast(revision, instance)


def _seen(path: str) -> str:
    """A path as those name it who begin in this directory: editors, and GitHub in a workflow."""
    here = os.getcwd()
    inside = os.path.isabs(path) and os.path.normpath(path).startswith(f"{here.rstrip('/')}/")
    return os.path.relpath(path, here) if inside else path


def _bundle(path: str) -> Bundle | None:
    try:
        return opened(path)
    except OSError as error:
        raise _unreadable(path, error) from None


def _appspec(path: str) -> str:
    """The AppSpec of a directory, or the path itself."""
    if not os.path.isdir(path):
        return path
    found = next((name for name in _NAMES if os.path.isfile(os.path.join(path, name))), _NAMES[0])
    return os.path.normpath(os.path.join(path, found))


def _content(path: str) -> bytes:
    """All of a file, or one byte more than can be judged."""
    if path == "-":
        return sys.stdin.buffer.read(LIMIT + 1)
    try:
        with Path(path).open("rb") as file:
            return file.read(LIMIT + 1)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: OSError) -> UsageError:
    near = nearest_path(path) if isinstance(error, FileNotFoundError) else ""
    return UsageError(f"{path}: {error.strerror}{near}")
