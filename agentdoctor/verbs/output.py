"""Where a report goes: made in the format that was asked for, then to standard output or into a file."""

from __future__ import annotations

import argparse
import contextlib
import os
import stat
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from agentdoctor.cli import UsageError
from agentdoctor.report import Run

# A report quotes logs, which not everybody may read. Metrics quote nothing, and node_exporter is another user.
_PRIVATE, _PUBLIC = 0o600, 0o644
_MODULES = {"markdown": "ticket"}  # of a run; report.markdown writes pages


def rendered(run: Run, format_: str, colour: bool = False, verbose: bool = False) -> str:
    """The report. A format is a module of that name in report/; only text knows colours and more or less."""
    module = import_module(f"agentdoctor.report.{_MODULES.get(format_, format_)}")
    text: str = module.render(run, colour, verbose) if format_ == "text" else module.render(run)
    return text


def deliver(run: Run, options: argparse.Namespace) -> None:
    """Print the report, or write it where --output says. UsageError if it cannot be written there."""
    if options.output == "-":
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        write(rendered(run, options.format, colour, options.verbose))
        return
    mode = _PUBLIC if options.format == "prometheus" else _PRIVATE
    try:
        replace(Path(options.output), rendered(run, options.format, verbose=options.verbose), mode)
    except OSError as error:
        raise UsageError(f"--output: {options.output}: {error.strerror or error}") from None


def replace(path: Path, text: str, mode: int) -> None:
    """Make the file hold the text, in UTF-8. A reader, or a crash, finds the old file or the new one, never a half.

    OSError if it cannot; the old file is then as it was. What is there and no regular file (a device, a link) stays:
    a rename would put a file in its place.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError("is not a regular file")
    descriptor, name = tempfile.mkstemp(prefix=".agentdoctor-", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def write(text: str) -> None:
    """Print a payload; what the terminal's encoding lacks is shown as an escape."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
