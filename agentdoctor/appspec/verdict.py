"""The agent's own judgement of an AppSpec, in its order (application_specification.rb of agent 1.8.1).

The agent stops at its first complaint; here it goes on, so the first problem is the agent's and the others are those
that it would come to next. Errors of Ruby ("undefined method") are problems like all others.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentdoctor.appspec.finding import Problem, at
from agentdoctor.appspec.permissions import permission
from agentdoctor.appspec.shapes import SHAPE, answers, each, has, kind, shown
from agentdoctor.appspec.values import Symbol, Table, Value, absent, false, integer, stripped, text

BEHAVIORS = ("DISALLOW", "OVERWRITE", "RETAIN")
LONGEST = 3600  # seconds, if a script has no timeout


def judge(document: Value) -> Iterator[Problem]:
    """All that agent 1.x refuses in what Ruby made of the file, the agent's own reason first."""
    if false(document):
        yield at(document, "appspec-empty", "there is nothing in it but blanks, comments or a null")
        return
    if isinstance(document.data, str | Symbol):
        yield at(document, "appspec-version-invalid", "the whole file is one text; it must begin with keys")
        return
    if not isinstance(document.data, Table):
        yield at(document, SHAPE, f"the whole file is {kind(document)}; it must be keys with values")
        return
    spec = document.data
    yield from _version(spec.get("version"), document)
    yield from _os(spec.get("os"), document)
    yield from _hooks(spec.get("hooks"))
    yield from _files(spec.get("files"))
    yield from _permissions(spec.get("permissions"))
    yield from _behavior(spec.get("file_exists_behavior"))


def _version(version: Value | None, document: Value) -> Iterator[Problem]:
    if version is None:
        yield at(document, "appspec-version-invalid", "there is no version; it must be 0.0")
    elif isinstance(version.data, bool) or not isinstance(version.data, int | float) or version.data != 0:
        quoted = isinstance(version.data, str) and version.data.strip() == "0.0"
        why = "a text, because of its quotes" if quoted else shown(version)
        yield at(version, "appspec-version-invalid", f"version is {why}; it must be the number 0.0")


def _os(os: Value | None, document: Value) -> Iterator[Problem]:
    if os is None:
        yield at(document, "appspec-os-unsupported", _no_os(document))
    elif os.data != "linux":
        yield at(os, "appspec-os-unsupported", f"os is {shown(os)}; it must be linux, in small letters")


def _no_os(document: Value) -> str:
    """Why there is none: mostly the file is meant for another service."""
    elsewhere = isinstance(document.data, Table) and (document.data.get("Resources") or document.data.get("resources"))
    return "there is no os; it must be linux" + (", and Resources are for ECS and Lambda" if elsewhere else "")


def _hooks(hooks: Value | None) -> Iterator[Problem]:
    if hooks is None or false(hooks):
        return
    if not isinstance(hooks.data, Table):
        yield at(hooks, SHAPE, f"hooks is {kind(hooks)}; it must be one key for each event")
        return
    judged: set[int] = set()
    for event, scripts in hooks.data.pairs():
        if not false(scripts) and id(scripts) not in judged:
            judged.add(id(scripts))
            yield from _scripts(text(event), scripts)


def _scripts(event: str, scripts: Value) -> Iterator[Problem]:
    listed = each(scripts)
    if listed is None:
        yield at(scripts, SHAPE, f"{event[:40]} is {kind(scripts)}; it must be a list of scripts")
        return
    for script in listed:
        if not isinstance(script.data, Table):
            yield at(script, SHAPE, f"a script of {event[:40]} is {kind(script)}; it must have a location")
            continue
        yield from _script(script, script.data)


def _script(script: Value, told: Table) -> Iterator[Problem]:
    location = told.get("location")
    if location is None or absent(location) or not stripped(location):
        yield at(location or script, "appspec-hook-invalid", "a script without location")
    timeout = told.get("timeout")
    if timeout is None or false(timeout):
        return
    if isinstance(timeout.data, float) or integer(timeout) is not None:
        if (integer(timeout) or 0) <= 0:
            yield at(timeout, "appspec-hook-invalid", f"timeout is {shown(timeout)}; it must be seconds, above 0")
    else:
        yield at(timeout, SHAPE, f"timeout is {kind(timeout)}; it must be a number of seconds")


def _files(files: Value | None) -> Iterator[Problem]:
    if files is None or false(files):
        return
    listed = each(files)
    if listed is None:
        yield at(files, SHAPE, f"files is {kind(files)}; it must be a list of source and destination")
        return
    for file in listed:
        yield from _file(file)


def _file(file: Value) -> Iterator[Problem]:
    if not answers(file):
        yield at(file, SHAPE, f"an entry of files is {kind(file)}; it must have source and destination")
    elif not has(file, "source"):
        yield at(file, "appspec-files-invalid", "an entry of files without source")
    elif not has(file, "destination"):
        yield at(file, "appspec-files-invalid", "an entry of files without destination")


def _permissions(permissions: Value | None) -> Iterator[Problem]:
    if permissions is None or false(permissions):
        return
    listed = each(permissions)
    if listed is None:
        yield at(permissions, SHAPE, f"permissions is {kind(permissions)}; it must be a list of entries")
        return
    for entry in listed:
        if isinstance(entry.data, Table):
            yield from permission(entry, entry.data)
        else:
            yield at(entry, SHAPE, f"an entry of permissions is {kind(entry)}; it must have an object")


def _behavior(behavior: Value | None) -> Iterator[Problem]:
    if behavior is not None and not absent(behavior) and behavior.data not in BEHAVIORS:
        wanted = ", ".join(BEHAVIORS[:-1]) + f" or {BEHAVIORS[-1]}"
        why = f"file_exists_behavior is {shown(behavior)}; it must be {wanted}"
        yield at(behavior, "appspec-file-exists-behavior-invalid", why)
