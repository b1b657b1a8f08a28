"""The command line: reads arguments, runs, prints. Exit codes: 0 fine, 1 warning, 2 critical, 3 could not tell."""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from agentdoctor import __version__
from agentdoctor.model import Severity

COULD_NOT_TELL = 3
# Of a run of check and scan.
FORMATS = ("text", "json", "jsonl", "nagios", "prometheus", "junit", "markdown")
# Logs older than this say nothing about today; the agent itself keeps seven days.
DEFAULT_SINCE = "7d"

_EXIT_CODES = """exit codes:
  0  all that matters ran, and nothing at or above --fail-on was found
  1  warning: the next deployment may fail unless you act
  2  critical: deployments fail now, or the agent takes no work
  3  could not tell, bad usage, or a failure of agentdoctor itself"""


_VERIFY_CODES = """exit codes:
  0  fixed: something newer than the failure shows it
  1  not proven yet
  2  still broken: the host shows it
  3  the host could not be looked at, bad usage, or a failure of agentdoctor itself"""


class UsageError(Exception):
    """What the person typed cannot be done, and why."""


class _Parser(argparse.ArgumentParser):
    """argparse with our exit code and the nearest right word."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message + self._near(message))

    def _near(self, message: str) -> str:
        from agentdoctor.nearest import nearest

        choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if choice:
            return nearest(choice[1], re.findall(r"[\w-]+", choice[2]))
        unknown = re.search(r"unrecognized arguments: (--?[\w-]+)", message)
        return nearest(unknown[1], self._flags()) if unknown else ""

    def _flags(self) -> list[str]:
        parsers: list[argparse.ArgumentParser] = [self]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
        return [flag for parser in parsers for action in parser._actions for flag in action.option_strings]


def parser() -> argparse.ArgumentParser:
    """Every verb and flag."""
    top = _Parser(
        prog="agentdoctor",
        description="Find out why the AWS CodeDeploy agent on this host fails, prove it, and say what to type.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"agentdoctor {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    common = _Parser(add_help=False, allow_abbrev=False)
    common.add_argument("--config", metavar="FILE", help="settings, instead of /etc/agentdoctor/agentdoctor.yaml")
    common.add_argument("-v", "--verbose", action="store_true", help="show consequences and the trace of a crash too")
    found = _Parser(add_help=False, allow_abbrev=False)
    found.add_argument(
        "--fail-on",
        choices=[severity.value for severity in Severity],
        default="warning",
        help="the least severity that makes the exit code other than 0 (warning)",
    )
    found.add_argument("--only", metavar="ID", action="append", default=[], help="only this rule; may be repeated")
    found.add_argument("--skip", metavar="ID", action="append", default=[], help="not this rule; may be repeated")

    printed = _Parser(add_help=False, allow_abbrev=False)
    printed.add_argument("--format", choices=FORMATS, default="text", help="how to print (text)")
    printed.add_argument(
        "--output",
        metavar="FILE",
        default="-",
        help="write to FILE instead of standard output: all or nothing, mode 0600, for prometheus 0644",
    )
    brief = _Parser(add_help=False, allow_abbrev=False)
    brief.add_argument("--format", choices=("text", "json"), default="text", help="how to print (text)")
    brief.set_defaults(output="-")

    where = _Parser(add_help=False, allow_abbrev=False)
    where.add_argument("--root", metavar="DIR", help="a copied tree or an unpacked snapshot instead of this host")
    where.add_argument(
        "--since", metavar="AGE", type=_age, help=f"how far back to read logs, such as 1h or 2d ({DEFAULT_SINCE})"
    )
    where.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="how long probes may take together (4.5)")
    where.add_argument("--no-network", action="store_true", help="connect to nothing but the metadata service")
    look = _Parser(add_help=False, allow_abbrev=False, parents=[where])
    look.add_argument("--snapshot", metavar="FILE", help="what agentdoctor snapshot wrote, instead of this host")
    look.add_argument("--wait", metavar="AGE", type=_age, help="look again until all is well, at most so long: 5m")

    _verb(verbs, "check", "look at this host and its logs, once", [common, found, printed, look])
    proof = _verb(verbs, "verify", "prove that a finding is fixed", [common, brief, look])
    proof.epilog = _VERIFY_CODES
    proof.formatter_class = argparse.RawDescriptionHelpFormatter
    proof.add_argument("id", metavar="ID", nargs="*", help="of a finding; all that check finds, without one")
    scan = _verb(verbs, "scan", "find failures in log files alone", [common, found, printed])
    scan.add_argument("files", metavar="FILE", nargs="+", help="a log of any kind, or - for standard input")
    taken = _verb(verbs, "snapshot", "write what check needs of this host, without secrets", [common, where])
    taken.add_argument("--output", metavar="FILE", help="where to (agentdoctor-HOST-TIME.tar.gz in this directory)")
    taken.add_argument("--list", action="store_true", help="print what would be taken and removed, write nothing")
    taken.add_argument("--pseudonyms", action="store_true", help="replace account id, addresses and host name too")
    _verb(verbs, "demo", "diagnose a recorded incident: no AWS needed", [common, found, brief])
    explain = _verb(verbs, "explain", "the page of a rule: cause, proof, fix", [common])
    explain.add_argument("id", metavar="ID")
    rules = _verb(verbs, "rules", "the catalogue of known failures", [])
    actions = rules.add_subparsers(dest="action", metavar="ACTION", required=True)
    _verb(actions, "list", "all rules, a line each", [common])
    _verb(actions, "show", "the file of a rule", [common]).add_argument("id", metavar="ID")
    _verb(actions, "test", "run the samples of all rules", [common]).add_argument("id", metavar="ID", nargs="*")
    _verb(actions, "lint", "judge all rules, or rule files", [common]).add_argument("file", metavar="FILE", nargs="*")
    draft = _verb(actions, "draft", "a rule to fill in, from the first error that no rule explains", [common])
    draft.add_argument("logfile", metavar="LOGFILE", help="a log of any kind, or - for standard input")
    draft.add_argument("--id", metavar="ID", default="", help="of the new rule, instead of one made from the message")
    schema = _verb(verbs, "schema", "print a JSON Schema", [common])
    schema.add_argument("name", choices=("report", "line"), help="of --format json, or of each line of --format jsonl")
    return top


def _verb(
    verbs: argparse._SubParsersAction[Any],
    name: str,
    help_: str,
    parents: list[_Parser],
) -> argparse.ArgumentParser:
    about = help_[0].upper() + help_[1:] + "."
    verb: _Parser = verbs.add_parser(name, help=help_, description=about, parents=parents, allow_abbrev=False)
    return verb


def _seconds(text: str) -> float:
    """A positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Prints the payload on stdout and everything else on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parser().parse_args(arguments)
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


def since(seconds: float | None) -> float:
    """Seconds since the epoch of so long ago; without an age the default one."""
    return time.time() - (_age(DEFAULT_SINCE) if seconds is None else seconds)


def _age(text: str) -> float:
    """An age such as 30m, 1h or 2d, in seconds."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 30m, 1h or 2d")
    return float(int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]])
