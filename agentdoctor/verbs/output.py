"""Where a report goes: made in the format that was asked for, then to standard output or into a file."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from agentdoctor.arguments import UsageError
from agentdoctor.files import replace
from agentdoctor.report import Run

if TYPE_CHECKING:  # a run needs nothing of what lint knows, and a check must answer at once
    from agentdoctor.report.lint import Lint

# A report quotes logs, which not everybody may read. Metrics quote nothing, and node_exporter is another user; what
# lint says is of files that the next step of a build reads.
_PRIVATE, _PUBLIC = 0o600, 0o644
_MODULES = {"markdown": "ticket"}  # of a run; report.markdown writes pages


def rendered(run: Run | Lint, format_: str, colour: bool = False, verbose: bool = False) -> str:
    """The report. A format is a module of that name beside what it shows; only text knows colours and more or less."""
    place = "agentdoctor.report" if isinstance(run, Run) else "agentdoctor.report.lint"
    module = import_module(f"{place}.{_MODULES.get(format_, format_)}")
    text: str = module.render(run, colour, verbose) if format_ == "text" else module.render(run)
    return text


def deliver(run: Run | Lint, options: argparse.Namespace) -> None:
    """Print the report, or write it where --output says. UsageError if it cannot be written there."""
    colour = options.output == "-" and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    put(rendered(run, options.format, colour, options.verbose), options)


def put(text: str, options: argparse.Namespace) -> None:
    """Print a text in the format that was asked for, or write it where --output says. UsageError if it cannot be."""
    if options.output == "-":
        write(text)
        return
    mode = _PUBLIC if options.format == "prometheus" or options.verb == "lint" else _PRIVATE
    try:
        replace(options.output, text, mode)
    except OSError as error:
        raise UsageError(f"--output: {options.output}: {error.strerror or error}") from None


def write(text: str) -> None:
    """Print a payload; what the terminal's encoding lacks is shown as an escape."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
