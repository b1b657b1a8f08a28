"""What the agent takes without a word and the user will regret: values that mean something else than they look."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from agentdoctor.appspec.events import BALANCED, unknown
from agentdoctor.appspec.finding import RUBIES, Problem, regret
from agentdoctor.appspec.ignored import ignored
from agentdoctor.appspec.permissions import wrong_mode
from agentdoctor.appspec.reading import Document
from agentdoctor.appspec.shapes import each
from agentdoctor.appspec.values import Symbol, Table, Value, absent, false, integer, stripped, text
from agentdoctor.model import Severity

LONGEST = 3600  # seconds that all scripts of an event have together; the agent does not enforce it
_IGNORED = "appspec-key-ignored"
_HOOK = "appspec-hook-invalid"
_PERMISSIONS = "appspec-permissions-invalid"


def regrets(document: Document, value: Value) -> Iterator[Problem]:
    """All of them, in no order."""
    for one in ignored(document.root):
        words = f"nobody reads {one.key[:60]} here; meant is {one.meant}"
        place = Value(None, one.line, one.column)
        yield regret(place, _IGNORED, words, key=one.key[:60], meant=one.meant)
    if document.more is not None:
        words = "a second document begins here, and agent 1.x reads the first alone"
        yield regret(Value(None, document.more, 1), _IGNORED, words, RUBIES, key="---", meant="one document")
    spec = value.data
    if not isinstance(spec, Table):
        return
    for table in (spec, *_tables(spec)):
        for key in table.repeated:
            again = f"{text(key)[:60]!r} stands there twice; only the last one counts"
            yield regret(key, _IGNORED, again, key=text(key)[:60], meant=f"one {text(key)[:60]} with all of it")
    yield from _hooks(spec.get("hooks"))
    for file in entries(spec.get("files")):
        yield from _file(file)
    yield from _permissions(entries(spec.get("permissions")))


def entries(section: Value | None) -> list[Table]:
    """The maps of a list, as far as it has that shape."""
    listed = (each(section) or []) if section is not None and not isinstance(section.data, Table) else []
    return list({id(item.data): item.data for item in listed if isinstance(item.data, Table)}.values())


def _tables(spec: Table) -> Iterator[Table]:
    hooks = spec.get("hooks")
    if hooks is not None and isinstance(hooks.data, Table):
        yield hooks.data
        for _, scripts in hooks.data.pairs():
            yield from entries(scripts)
    for section in ("files", "permissions"):
        yield from entries(spec.get(section))


def _hooks(hooks: Value | None) -> Iterator[Problem]:
    if hooks is None or not isinstance(hooks.data, Table):
        return
    judged: set[int] = set()
    for event, scripts in hooks.data.pairs():
        yield from _event(event, scripts)
        for script in entries(scripts):
            if id(script) not in judged:
                judged.add(id(script))
                yield from _script(script)


def _event(event: Value, scripts: Value) -> Iterator[Problem]:
    name = text(event)
    why = unknown(name) if isinstance(event.data, str) else f"{name[:60]} is no text, and so names no event"
    if why and not false(scripts):
        yield regret(event, "appspec-hook-unknown", f"these scripts never run: {why}", events=name[:60])
    elif name in BALANCED:
        words = f"{name} runs only where the deployment group has a load balancer"
        aside = regret(event, _IGNORED, words, key=name, meant="an event that every deployment has")
        yield replace(aside, severity=Severity.INFO)
    told = [integer(timeout) or 0 for script in entries(scripts) if not absent(timeout := _or_nil(script, "timeout"))]
    if sum(told) > LONGEST:
        words = f"its timeouts are {sum(told)} s together; the service gives up an event after {LONGEST} s"
        yield regret(event, _HOOK, words)


def _or_nil(table: Table, name: str) -> Value:
    return table.get(name) or Value(None, 1, 1)


def _script(script: Table) -> Iterator[Problem]:
    yield from _location(_or_nil(script, "location"))
    timeout, seconds = _or_nil(script, "timeout"), integer(_or_nil(script, "timeout"))
    odd = timeout.written.strip() not in (str(seconds), f"+{seconds}")
    if seconds and seconds > 0 and not absent(timeout) and odd:
        yield regret(timeout, _HOOK, f"timeout is {timeout.written[:40]!r}, which is {seconds} s to agent 1.x", RUBIES)
    sudo = _or_nil(script, "sudo")
    if not false(sudo) and sudo.data is not True:
        yield regret(sudo, _HOOK, f"sudo is {text(sudo)[:40]!r}, which is true to agent 1.x", RUBIES)
    runas = _or_nil(script, "runas")
    if not absent(runas) and not _is_user(stripped(runas)):
        words = f"runas is {stripped(runas)[:40]!r}, which is no name of a user"
        yield regret(runas, "script-runas-failed", words, user=stripped(runas)[:40])


def _is_user(name: str) -> bool:
    return not name or not any(letter.isspace() or letter in ":/[]{}," for letter in name)


def _location(location: Value) -> Iterator[Problem]:
    name = stripped(location)
    if any(letter.isspace() for letter in name):
        words = f"the location {name[:80]!r} has a blank in it, and agent 1.x cuts it there"
        yield regret(location, "script-location-has-space", words, RUBIES, script=name)
    if name.startswith("/"):
        words = f"the location {name[:80]!r} is looked for in the bundle, not on the host"
        yield regret(location, "script-missing", words, path=name)
    elif posixpath.normpath(name).startswith(".."):
        yield regret(location, "script-missing", f"the location {name[:80]!r} leads out of the bundle", path=name)


def _file(file: Table) -> Iterator[Problem]:
    source, destination = _or_nil(file, "source"), _or_nil(file, "destination")
    for name, value in (("source", source), ("destination", destination)):
        if not absent(value) and not isinstance(value.data, str | Symbol):
            yield regret(value, "appspec-files-invalid", f"{name} is no text; put it in quotes", RUBIES)
        elif not absent(value) and not text(value):
            yield regret(value, "appspec-files-invalid", f"{name} is an empty text", RUBIES)
    place = text(destination)
    if place.startswith(("~", "$")):
        words = f"destination {place[:80]!r} is taken as it stands: no shell reads it"
        yield regret(destination, "appspec-files-invalid", words)
    elif isinstance(destination.data, str) and place and not place.startswith("/"):
        words = f"destination {place[:80]!r} is not absolute; it is taken from the directory in which the agent runs"
        yield regret(destination, "appspec-files-invalid", words)


def _permissions(told: list[Table]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for entry in told:
        yield from _mode(_or_nil(entry, "mode"))
        yield from _of_files(entry)
        yield from _context(_or_nil(entry, "context"))
        name = _or_nil(entry, "object")
        place = posixpath.normpath(stripped(name)) if stripped(name) else ""
        if place and place in seen and false(entry.get("pattern")):
            words = f"{place[:80]} has an entry on line {seen[place]} already; Install refuses what two entries meet"
            yield regret(name, _PERMISSIONS, words, object=place)
        elif place and false(entry.get("pattern")):
            seen[place] = name.line


def _mode(mode: Value) -> Iterator[Problem]:
    """A mode that Ruby reads as another number than it looks, and that is still one."""
    if isinstance(mode.data, bool) or not isinstance(mode.data, int) or wrong_mode(str(mode.data)):
        return
    written = mode.written
    if written != str(mode.data) and written.strip("0"):
        words = f"mode is {written!r} without quotes, which is {mode.data} to agent 1.x: it sets mode {mode.data}"
        yield regret(mode, _PERMISSIONS, f"{words}; write {written.lstrip('0')!r}", RUBIES)


def _of_files(entry: Table) -> Iterator[Problem]:
    """Install refuses pattern, except and default entries for a file, but only once it meets one (APPSPEC-027, 028)."""
    types = entry.get("type")
    if types is not None and not false(types) and "file" not in [one.data for one in each(types) or ()]:
        return
    pattern, except_, acls = entry.get("pattern"), entry.get("except"), entry.get("acls")
    where = "for directories alone; agent 1.x fails in Install if the object is a file"
    if pattern is not None and not absent(pattern) and pattern.data != "**":
        yield regret(pattern, _PERMISSIONS, f"a pattern is {where}", RUBIES)
    if except_ is not None and not false(except_) and each(except_):
        yield regret(except_, _PERMISSIONS, f"except is {where}", RUBIES)
    for ace in (each(acls) or []) if acls is not None else []:
        if isinstance(ace.data, str) and ace.data.startswith(("d:", "default:")):
            yield regret(ace, "appspec-acl-invalid", f"a default entry is {where}", RUBIES)


def _context(context: Value) -> Iterator[Problem]:
    told = context.data
    if not isinstance(told, Table):
        return
    if absent(told.get("range")) and not absent(told.get("type")):
        words = "the context has no range; agent 1.x takes that and fails in Install"
        yield regret(context, "appspec-context-invalid", words, RUBIES)
    for name, meant in (("user", "name"), ("role", "")):
        key = told.key(name)
        if key is not None:
            words = f"nobody reads {name} in a context" + (f"; meant is {meant}" if meant else "")
            yield regret(key, _IGNORED, words, key=name, meant=meant or "nothing that the agent has")
