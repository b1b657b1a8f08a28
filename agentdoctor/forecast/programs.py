"""Programs that the scripts and the permissions of a revision need, and that this instance does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentdoctor.appspec.finding import RUBIES, Problem
from agentdoctor.appspec.regrets import entries as maps
from agentdoctor.appspec.shapes import each
from agentdoctor.appspec.values import Table, Value, absent, false
from agentdoctor.bundle.plan import met_by
from agentdoctor.bundle.revision import Revision
from agentdoctor.bundle.scripts import events
from agentdoctor.forecast.instance import Instance
from agentdoctor.forecast.people import prepared
from agentdoctor.model import Severity

_UNLESS = ", unless a script of BeforeInstall installs it"


def missing(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    """Of each program the first that needs it."""
    yield from _interpreters(revision, instance)
    yield from _tools(revision, instance)


def _interpreters(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    first: dict[str, str] = {}
    for script, program in revision.programs.items():
        if program and (program.startswith("/") or "/" not in program):  # what is relative is wrong on any host
            first.setdefault(program, script)
    told = events(revision.spec, revision.root)
    for program, script in first.items():
        seen = instance.value("host.command", command=program)
        if isinstance(seen, str):
            yield seen
        elif not seen["found"]:
            may_come = prepared(revision.spec) and "BeforeInstall" not in told.get(script, ())
            yield _interpreter(program, script, str(seen["elsewhere"]), may_come)


def _interpreter(program: str, script: str, elsewhere: str, may_come: bool) -> Problem:
    where = "" if program.startswith("/") else " on the PATH of the agent"
    words = f"this host has no {program[:80]}{where}"
    words += f"; there is {elsewhere}" if elsewhere else ""
    words += _UNLESS if may_come else ""
    details = {"script": script, "path": script}
    told = Problem("script-interpreter-invalid", words, 1, 1, script, details=details)
    return replace(told, severity=Severity.WARNING if may_come else Severity.CRITICAL)


_TOOLS = (
    ("acls", "setfacl", "acl-command-failed"),
    ("context", "semanage", "selinux-command-failed"),
    ("context", "restorecon", "selinux-command-failed"),
)


def _tools(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    for key, tool, rule in _TOOLS:
        place = _needs(revision, key)
        if place is None:
            continue
        seen = instance.value("host.commands")
        if isinstance(seen, str):
            yield seen
        elif not seen[tool]:
            yield _tool(place, tool, rule, prepared(revision.spec))


def _needs(revision: Revision, key: str) -> Value | None:
    """The first place that asks for it and has something that it is for."""
    for entry in maps(revision.spec.get("permissions")):
        value = entry.get(key)
        if value is not None and not false(value) and _says(value) and met_by(entry, revision.plan):
            return value
    return None


def _says(value: Value) -> bool:
    return not absent(value) and bool(isinstance(value.data, Table) or each(value))


def _tool(place: Value, tool: str, rule: str, may_come: bool) -> Problem:
    words = f"this host has no {tool}{_UNLESS if may_come else ''}"
    told = Problem(rule, words, place.line, place.column, targets=RUBIES, details={"command": tool})
    return replace(told, severity=Severity.WARNING if may_come else Severity.CRITICAL)
