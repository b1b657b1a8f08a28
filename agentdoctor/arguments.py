"""What may be typed: verbs, flags and their meaning, and the nearest right word for what may not."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from agentdoctor import __version__

# Of a run of check and scan.
FORMATS = ("text", "json", "jsonl", "nagios", "prometheus", "junit", "markdown")
LINT_FORMATS = ("text", "json", "sarif", "github", "junit")
SEVERITIES = ("critical", "warning", "info")
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


_NOTIFY_CODES = """exit codes:
  0  sent
  2  refused: AWS or this host says why
  3  not known whether it was sent, no topic, bad usage, or a failure of agentdoctor itself"""


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


def parser(verb: str = "") -> argparse.ArgumentParser:
    """Every verb; flags and arguments only of that one, or of all where it is none: a fifth of the time."""
    top = _Parser(
        prog="agentdoctor",
        description="Find out why the AWS CodeDeploy agent on this host fails, prove it, and say what to type.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"agentdoctor {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (about, add) in _VERBS.items():
        one = _verb(verbs, name, about)
        if verb not in _VERBS or verb == name:
            add(one)
    return top


def _verb(verbs: argparse._SubParsersAction[Any], name: str, about: str) -> argparse.ArgumentParser:
    description = about[0].upper() + about[1:] + "."
    one: argparse.ArgumentParser = verbs.add_parser(name, help=about, description=description, allow_abbrev=False)
    return one


def _common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--config", metavar="FILE", help="settings, instead of /etc/agentdoctor/agentdoctor.yaml")
    verb.add_argument("-v", "--verbose", action="store_true", help="show consequences and the trace of a crash too")


def _chosen(verb: argparse.ArgumentParser) -> None:
    """Which findings count."""
    verb.add_argument(
        "--fail-on",
        choices=SEVERITIES[::-1],
        default="warning",
        help="the least severity that makes the exit code other than 0 (warning)",
    )
    verb.add_argument("--only", metavar="ID", action="append", default=[], help="only this rule; may be repeated")
    verb.add_argument("--skip", metavar="ID", action="append", default=[], help="not this rule; may be repeated")


def _printed(verb: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    verb.add_argument("--format", choices=formats, default="text", help="how to print (text)")
    verb.add_argument(
        "--output",
        metavar="FILE",
        default="-",
        help="write to FILE instead of standard output: all or nothing, mode 0600, for prometheus and lint 0644",
    )


def _brief(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--format", choices=("text", "json"), default="text", help="how to print (text)")
    verb.set_defaults(output="-")


def _where(verb: argparse.ArgumentParser) -> None:
    """What is looked at, and how far."""
    verb.add_argument("--root", metavar="DIR", help="a copied tree or an unpacked snapshot instead of this host")
    verb.add_argument(
        "--since", metavar="AGE", type=_age, help=f"how far back to read logs, such as 1h or 2d ({DEFAULT_SINCE})"
    )
    verb.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="how long probes may take together (4.5)")
    verb.add_argument("--no-network", action="store_true", help="connect to nothing but the metadata service")


def _look(verb: argparse.ArgumentParser) -> None:
    _where(verb)
    verb.add_argument("--snapshot", metavar="FILE", help="what agentdoctor snapshot wrote, instead of this host")
    verb.add_argument("--wait", metavar="AGE", type=_age, help="look again until all is well, at most so long: 5m")


def _check(verb: argparse.ArgumentParser) -> None:
    for add in (_common, _chosen, _printed, _look):
        add(verb)


def _verify(verb: argparse.ArgumentParser) -> None:
    for add in (_common, _brief, _look):
        add(verb)
    verb.epilog = _VERIFY_CODES
    verb.formatter_class = argparse.RawDescriptionHelpFormatter
    verb.add_argument("id", metavar="ID", nargs="*", help="of a finding; all that check finds, without one")


def _scan(verb: argparse.ArgumentParser) -> None:
    for add in (_common, _chosen, _printed):
        add(verb)
    verb.add_argument("files", metavar="FILE", nargs="+", help="a log of any kind, or - for standard input")


def _snapshot(verb: argparse.ArgumentParser) -> None:
    _common(verb)
    _where(verb)
    verb.add_argument("--output", metavar="FILE", help="where to (agentdoctor-HOST-TIME.tar.gz in this directory)")
    verb.add_argument("--list", action="store_true", help="print what would be taken and removed, write nothing")
    verb.add_argument("--pseudonyms", action="store_true", help="replace account id, addresses and host name too")


def _demo(verb: argparse.ArgumentParser) -> None:
    for add in (_common, _chosen, _brief):
        add(verb)


def _lint(verb: argparse.ArgumentParser) -> None:
    for add in (_common, _chosen):
        add(verb)
    _printed(verb, LINT_FORMATS)
    verb.add_argument(
        "path", metavar="PATH", nargs="?", default=".", help="directory, .zip, .tar, .tgz, AppSpec, or - (.)"
    )
    verb.add_argument("--agent", choices=("1.8", "2.x"), help="for this agent alone (for both)")
    verb.add_argument(
        "--ruby", choices=("3.0", "3.1"), help="for agent 1.8 under Ruby up to 3.0, or from 3.1 on (both)"
    )
    verb.add_argument(
        "--against-host", action="store_true", help="predict what Install will meet on this instance; as root"
    )
    verb.add_argument(
        "--deployment-group-id",
        metavar="ID",
        help="with --against-host: for this group, new for one that has deployed nothing here (the only one here)",
    )
    verb.add_argument("--fix", action="store_true", help="show what can be put right mechanically, as a diff")
    verb.add_argument("--yes", action="store_true", help="with --fix: write it")
    verb.add_argument("--appspec-only", action="store_true", help="judge the AppSpec without its bundle")


def _id(nargs: str | None, verb: argparse.ArgumentParser) -> None:
    _common(verb)
    verb.add_argument("id", metavar="ID", nargs=nargs)


def _rules(verb: argparse.ArgumentParser) -> None:
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    _common(_verb(actions, "list", "all rules, a line each"))
    _id(None, _verb(actions, "show", "the file of a rule"))
    _id("*", _verb(actions, "test", "run the samples of all rules"))
    lint = _verb(actions, "lint", "judge all rules, or rule files")
    _common(lint)
    lint.add_argument("file", metavar="FILE", nargs="*")
    draft = _verb(actions, "draft", "a rule to fill in, from the first error that no rule explains")
    _common(draft)
    draft.add_argument("logfile", metavar="LOGFILE", help="a log of any kind, or - for standard input")
    draft.add_argument("--id", metavar="ID", default="", help="of the new rule, instead of one made from the message")


def _schema(verb: argparse.ArgumentParser) -> None:
    _common(verb)
    verb.add_argument(
        "name", choices=("report", "line", "lint"), help="of --format json, of each line of --format jsonl, of lint"
    )


def _config(verb: argparse.ArgumentParser) -> None:
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = _verb(actions, "show", "each setting, its value, and where that comes from")
    _common(show)
    _brief(show)


def _status(verb: argparse.ArgumentParser) -> None:
    _common(verb)
    _printed(verb, ("text", "json", "prometheus"))


def _silence(verb: argparse.ArgumentParser) -> None:
    _id(None, verb)
    verb.add_argument("--for", dest="duration", metavar="AGE", type=_age, default=3600.0, help="how long (1h)")
    verb.add_argument("--reason", metavar="TEXT", required=True, help="why, for those who wonder later")


def _notify(verb: argparse.ArgumentParser) -> None:
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    test = _verb(actions, "test", "send a test message to the topic of the settings")
    _common(test)
    _brief(test)
    test.epilog = _NOTIFY_CODES
    test.formatter_class = argparse.RawDescriptionHelpFormatter


_VERBS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "check": ("look at this host and its logs, once", _check),
    "verify": ("prove that a finding is fixed", _verify),
    "scan": ("find failures in log files alone", _scan),
    "snapshot": ("write what check needs of this host, without secrets", _snapshot),
    "demo": ("diagnose a recorded incident: no AWS needed", _demo),
    "lint": ("judge an AppSpec and its bundle before the deployment", _lint),
    "run": ("watch this host, as a service", _common),
    "status": ("what the service knows, and how it is", _status),
    "silence": ("hear nothing of a rule for a while", _silence),
    "unsilence": ("end a silence", partial(_id, None)),
    "notify": ("try the way that alerts take", _notify),
    "config": ("the settings, and where each comes from", _config),
    "explain": ("the page of a rule: cause, proof, fix", partial(_id, None)),
    "rules": ("the catalogue of known failures", _rules),
    "schema": ("print a JSON Schema", _schema),
}


def _seconds(text: str) -> float:
    """A positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def since(seconds: float | None) -> float:
    """Seconds since the epoch of so long ago; without an age the default one."""
    return time.time() - (_age(DEFAULT_SINCE) if seconds is None else seconds)


def _age(text: str) -> float:
    """An age such as 30m, 1h or 2d, in seconds."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age such as 30m, 1h or 2d")
    return float(int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]])
