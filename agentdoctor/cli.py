"""The command line: reads arguments, runs, prints. Exit codes: 0 fine, 1 warning, 2 critical, 3 could not tell."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from agentdoctor.arguments import UsageError, parser

COULD_NOT_TELL = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Prints the payload on stdout and everything else on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parser(next((x for x in arguments if not x.startswith("-")), "")).parse_args(arguments)
    except UsageError as error:
        return _complain(f"{error}; see agentdoctor --help")
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    try:
        return _run(options)
    except UsageError as error:
        return _complain(str(error), options)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return _complain("interrupted", options)
    except Exception as error:  # our own bug: one line and our own exit code, with the trace for who asks
        if options.verbose:
            raise
        return _complain(f"failed: {type(error).__name__}: {error} (this is a bug; -v shows where)", options)


def main_script() -> NoReturn:
    """The entry point: main, and an orderly end whatever became of stdout."""
    code = COULD_NOT_TELL
    gc.disable()  # a short life without cycles: looking for them took a fifth of a scan
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left, as in ``agentdoctor check | head``. Without this Python complains once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception:  # noqa: BLE001 - the trace that was asked for, and still our exit code
        import traceback

        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)  # probes that hang must not keep the process


def _complain(text: str, options: argparse.Namespace | None = None) -> int:
    """Say why there is no report: on stderr, but for a monitor that reads standard output alone."""
    from agentdoctor.scrub import line

    if getattr(options, "format", "") == "nagios" and getattr(options, "output", "") == "-":
        from agentdoctor.report.nagios import unknown

        sys.stdout.write(unknown(text))
        return COULD_NOT_TELL
    print(f"agentdoctor: {line(text)}", file=sys.stderr)
    return COULD_NOT_TELL


def _run(options: argparse.Namespace) -> int:
    from agentdoctor import verbs

    return verbs.run(options)
