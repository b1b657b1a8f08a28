"""The verbs that look: at this host, at a copied tree, at files, at a recorded incident."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from agentdoctor import rules as catalogue
from agentdoctor import silences
from agentdoctor.arguments import UsageError, since
from agentdoctor.host import Host
from agentdoctor.model import Rule, State
from agentdoctor.report import Run, silenced
from agentdoctor.rules import Catalogue
from agentdoctor.settings import Settings
from agentdoctor.verbs import chosen, known, load, nearest_path, on_hosts, print_run, settings_of
from agentdoctor.verbs.output import write

if TYPE_CHECKING:
    from agentdoctor.verify import Answer

T = TypeVar("T")
WAIT_SECONDS = 5.0  # between two looks of --wait; the agent polls every 45 s or so


def check(options: argparse.Namespace) -> int:
    """Look at this host, or at a copied tree."""
    settings = settings_of(options)
    loaded = load(settings, quiet=options.format == "nagios")
    rules = chosen(options, loaded)

    def look() -> Run:
        run = _look(options, settings, rules, loaded)
        return silenced(run, silences.load(settings.state_dir, run.started_at)) if _of_settings(options) else run

    return print_run(_until_well(options, look, lambda run: run.exit_code == 0), options)


def _of_settings(options: argparse.Namespace) -> bool:
    """Whether it is the host of the settings that is looked at, of which the service knows."""
    return not (options.root or options.snapshot)


def verify(options: argparse.Namespace) -> int:
    """Prove that findings are fixed, or say what is missing."""
    from agentdoctor.report import verification
    from agentdoctor.verify import worst

    settings = settings_of(options)
    loaded = load(settings)
    asked = on_hosts(known(options.id, loaded))
    look = partial(_look, options, settings, loaded.rules, loaded)
    run, answers = _until_well(options, lambda: _answers(look(), asked), lambda pair: worst(pair[1]) == 0)
    render = verification.as_json if options.format == "json" else verification.as_text
    write(render(answers, run))
    return worst(answers) if answers else run.exit_code


def _answers(run: Run, asked: Sequence[Rule]) -> tuple[Run, list[Answer]]:
    """An answer for each of these rules; without any for each that a check finds."""
    from agentdoctor.verify import verify

    found = {f.rule.id: f.rule for f in run.findings if f.state in (State.ACTIVE, State.QUIET)}
    return run, [verify(rule, run.findings, run.checks, run.problems) for rule in asked or found.values()]


def _look(options: argparse.Namespace, settings: Settings, rules: Sequence[Rule], loaded: Catalogue) -> Run:
    """One check of this host, of a copied tree or of a snapshot."""
    from agentdoctor import runs

    with _unpacked(options) as there:
        host, begin = place(there, settings, loaded)
        return runs.check(rules, host, begin, options.timeout, not options.no_network)


@contextlib.contextmanager
def _unpacked(options: argparse.Namespace) -> Iterator[argparse.Namespace]:
    """The options, with the unpacked tree as --root for as long as it is looked at."""
    if options.snapshot is None:
        yield options
        return
    from agentdoctor.snapshot.unpacking import NotASnapshot, opened

    if options.root:
        raise UsageError("--root and --snapshot cannot be used together")
    with contextlib.ExitStack() as stack:
        try:
            root = stack.enter_context(opened(options.snapshot))
            Host.snapshot(root)
        except OSError as error:
            near = nearest_path(options.snapshot)
            raise UsageError(f"--snapshot: {options.snapshot}: {error.strerror or error}{near}") from None
        except (NotASnapshot, ValueError) as error:
            raise UsageError(f"--snapshot: {options.snapshot}: {error}") from None
        yield argparse.Namespace(**{**vars(options), "root": root})


def place(options: argparse.Namespace, settings: Settings, loaded: Catalogue) -> tuple[Host, float | None]:
    """The host to look at, and since when its logs count, in seconds since the epoch; None is from the beginning."""
    root = options.root or (settings.root if settings.root != "/" else "")
    host = _snapshot(options.root) if options.root else _host(settings)
    begin = None if root and options.since is None else since(options.since)
    return dataclasses.replace(host, broken_rules=loaded.broken), begin


def _until_well(options: argparse.Namespace, look: Callable[[], T], well: Callable[[T], bool]) -> T:
    """Look once; with --wait again and again until all is well or the time is over."""
    end = time.monotonic() + (options.wait or 0.0)
    while True:
        found = look()
        left = end - time.monotonic()
        if well(found) or left <= 0:
            return found
        if sys.stderr.isatty():
            print(f"\rnot well yet, waiting; {left:.0f} s left \x1b[K", end="\r", file=sys.stderr, flush=True)
        time.sleep(min(WAIT_SECONDS, left))


def _host(settings: Settings) -> Host:
    try:
        return Host.at(settings.root, settings.imds_endpoint, settings.state_dir)
    except OSError as error:
        raise UsageError(f"root: {settings.root}: {error.strerror}{nearest_path(settings.root)}") from None
    except ValueError as error:
        raise UsageError(f"root: {settings.root}: {error}") from None


def _snapshot(root: str) -> Host:
    try:
        return Host.snapshot(root)
    except OSError as error:
        raise UsageError(f"--root: {root}: {error.strerror}{nearest_path(root)}") from None
    except ValueError as error:
        raise UsageError(f"--root: {root}: {error}") from None


def scan(options: argparse.Namespace) -> int:
    """Find failures in log text alone."""
    from agentdoctor import runs

    return print_run(runs.scan(chosen(options, load(settings_of(options))), options.files), options)


def demo(options: argparse.Namespace) -> int:
    """Diagnose the embedded incident: the two failures of a first deployment."""
    from importlib import resources

    from agentdoctor import runs

    loaded = catalogue.load()
    folder = resources.files("agentdoctor").joinpath("demo")
    codes = []
    for part, title in _INCIDENTS.items():
        with resources.as_file(folder.joinpath(part)) as root:
            run = runs.check(chosen(options, loaded), Host.snapshot(str(root)))
        codes.append(print_run(dataclasses.replace(run, title=title), options))
        write("\n" if options.format == "text" else "")
    return max(codes)


_INCIDENTS = {
    "no-credentials": "A recorded incident, not this host (1 of 2): the agent starts and gets no work",
    "appspec-yaml": "A recorded incident, not this host (2 of 2): it has a role now, and the deployment fails",
}
