"""Users and groups that must be on each host before this revision comes: no bundle shows whether they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentdoctor.appspec.finding import Problem
from agentdoctor.appspec.regrets import entries as maps
from agentdoctor.appspec.values import Table, Value, absent, false, stripped, text
from agentdoctor.bundle.plan import Plan, met_by
from agentdoctor.model import Severity

# base-passwd of Debian and Ubuntu has these, and the images of EC2 their own user.
_USUAL = frozenset(
    "root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody ubuntu admin"
    " ec2-user".split()
)
_USUAL_GROUPS = _USUAL | frozenset(
    "adm tty disk dialout cdrom sudo audio operator src shadow utmp video staff users nogroup".split()
)


def expected(spec: Table, plan: Plan) -> Iterator[Problem]:
    """Of each name that a stock Ubuntu does not have the first place, as something to know."""
    met: set[tuple[str, str]] = set()
    for kind, rule, value, details in [*_owners(spec, plan), *_runners(spec)]:
        name = stripped(value)[:80]
        if (kind, name) in met or name in (_USUAL_GROUPS if kind == "group" else _USUAL):
            continue
        met.add((kind, name))
        words = f"the {kind} {name!r} must be on each host by then; a stock Ubuntu does not have it"
        told = Problem(rule, words, value.line, value.column, details={"name": name, "kind": kind, **details})
        yield replace(told, severity=Severity.INFO)


def _owners(spec: Table, plan: Plan) -> Iterator[tuple[str, str, Value, dict[str, str]]]:
    for entry in maps(spec.get("permissions")):
        for kind, value in (("user", entry.get("owner")), ("group", entry.get("group"))):
            if value is not None and not false(value) and text(value) and met_by(entry, plan):
                yield kind, "owner-missing", value, {}


def _runners(spec: Table) -> Iterator[tuple[str, str, Value, dict[str, str]]]:
    hooks = spec.get("hooks")
    for _, listed in hooks.data.pairs() if hooks is not None and isinstance(hooks.data, Table) else ():
        for script in maps(listed):
            runas, location = script.get("runas"), script.get("location")
            if runas is not None and not absent(runas) and stripped(runas):
                yield (
                    "user",
                    "script-runas-failed",
                    runas,
                    {
                        "user": stripped(runas)[:80],
                        "script": stripped(location)[:80] if location is not None else "",
                    },
                )
