"""Users and groups that permissions and runas name, and that this instance does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agentdoctor.appspec.finding import RUBIES, RUST, Problem
from agentdoctor.appspec.regrets import entries as maps
from agentdoctor.appspec.values import Table, Value, absent, false, stripped, text
from agentdoctor.bundle.plan import met_by
from agentdoctor.bundle.revision import Revision
from agentdoctor.forecast.instance import Instance
from agentdoctor.model import Severity

# These may find what a script of BeforeInstall has made; ApplicationStop and the like run at a later deployment.
_FIRST = "BeforeInstall"


def missing(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    """Of each name and kind the first place that needs it."""
    yield from _owners(revision, instance)
    yield from _runners(revision, instance)


def prepared(spec: Table) -> bool:
    """Whether BeforeInstall has scripts, which may make what Install needs."""
    hooks = spec.get("hooks")
    scripts = hooks.data.get(_FIRST) if hooks is not None and isinstance(hooks.data, Table) else None
    return bool(maps(scripts))


def _owners(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    asked: set[tuple[str, str]] = set()
    for entry in maps(revision.spec.get("permissions")):
        for kind, value in (("user", entry.get("owner")), ("group", entry.get("group"))):
            if value is None or false(value) or (kind, text(value)) in asked or not met_by(entry, revision.plan):
                continue
            asked.add((kind, text(value)))
            seen = instance.value("identity.owner", name=text(value), kind=kind)
            if isinstance(seen, str):
                yield seen
            elif not seen["exists"]:
                yield from _no_owner(value, kind, prepared(revision.spec))


def _no_owner(value: Value, kind: str, may_come: bool) -> Iterator[Problem]:
    name = text(value)[:80]
    words = f"this host has no {kind} {name!r}"
    if may_come:
        words += ", unless a script of BeforeInstall makes it"
    told = Problem("owner-missing", words, value.line, value.column, details={"name": name, "kind": kind})
    yield replace(told, targets=RUBIES, severity=Severity.WARNING if may_come else Severity.CRITICAL)
    silent = f"{words}; agent 2.x then leaves the {kind} as it is, and says nothing"
    yield replace(told, text=silent, targets=(RUST,), severity=Severity.WARNING)


def _runners(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    asked: set[str] = set()
    hooks = revision.spec.get("hooks")
    for event, listed in hooks.data.pairs() if hooks is not None and isinstance(hooks.data, Table) else ():
        for script in maps(listed):
            runas = script.get("runas")
            if runas is None or absent(runas) or not stripped(runas) or stripped(runas) in asked:
                continue
            asked.add(stripped(runas))
            location = script.get("location")
            where = stripped(location) if location is not None else ""
            may_come = event.data != _FIRST and prepared(revision.spec)
            yield from _runner(runas, where, may_come, instance)


def _runner(runas: Value, script: str, may_come: bool, instance: Instance) -> Iterator[Problem | str]:
    name = stripped(runas)
    seen = instance.value("identity.user", user=name)
    if isinstance(seen, str):
        yield seen
        return
    words = ""
    if seen["exists"] is False:
        words = f"runas: this host has no user {name[:80]!r}"
    elif seen["can_login"] is False:
        words = f"runas: the shell of {name[:80]!r} is {seen['shell'] or 'not there'}, with which su runs nothing"
    if words:
        words += ", unless a script of BeforeInstall changes that" if may_come else ""
        details = {"user": name[:80], "script": script[:80]}
        told = Problem("script-runas-failed", words, runas.line, runas.column, details=details)
        yield replace(told, severity=Severity.WARNING if may_come else Severity.CRITICAL)
    elif seen["exists"] is None:
        yield f"identity.user {name}: a copied tree does not tell whether there is such a user"
