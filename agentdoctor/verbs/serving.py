"""The verbs of the service: run it, ask it, and have it be silent for a while."""

from __future__ import annotations

import argparse
import time
from typing import NoReturn

from agentdoctor import silences
from agentdoctor.arguments import UsageError
from agentdoctor.model import Silence
from agentdoctor.verbs import known, load, settings_of
from agentdoctor.verbs.output import put, write


def run(options: argparse.Namespace) -> NoReturn:
    """Watch this host until somebody ends it."""
    from agentdoctor import daemon

    daemon.become(options.config, settings_of(options))


def silence(options: argparse.Namespace) -> int:
    """Have nobody hear of a rule for a while."""
    settings = settings_of(options)
    (rule,) = known([options.id], load(settings))
    until = time.time() + options.duration
    reason = " ".join(options.reason.split())
    if not reason:
        raise UsageError("--reason: say why, for those who wonder later")
    try:
        silences.put(settings.state_dir, Silence(rule.id, until, reason))
    except OSError as error:
        raise UsageError(f"{settings.state_dir}: {error.strerror}; this needs root") from None
    write(f"{rule.id} is silenced until {_local(until)}: {reason}\n")
    return 0


def unsilence(options: argparse.Namespace) -> int:
    """End a silence."""
    settings = settings_of(options)
    (rule,) = known([options.id], load(settings))
    try:
        ended = silences.end(settings.state_dir, rule.id)
    except OSError as error:
        raise UsageError(f"{settings.state_dir}: {error.strerror}; this needs root") from None
    write(f"{rule.id} is {'no longer' if ended else 'not'} silenced\n")
    return 0


def status(options: argparse.Namespace) -> int:
    """What the service knows, and how it is itself."""
    from agentdoctor.report import gauges
    from agentdoctor.report import status as report
    from agentdoctor.status import look

    settings = settings_of(options)
    seen = look(settings.state_dir, time.time())
    forms = {"text": report.as_text, "json": report.as_json, "prometheus": gauges.render}
    put(forms[options.format](seen), options)
    return report.exit_code(seen)


def _local(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
