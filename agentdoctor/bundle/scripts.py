"""The scripts of a bundle: are they there, can the kernel start them, and do they let go of their output."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from agentdoctor.appspec.finding import Problem
from agentdoctor.appspec.regrets import entries as maps
from agentdoctor.appspec.values import Table, Value, stripped
from agentdoctor.bundle.entries import Entry
from agentdoctor.bundle.names import Names, followed, within
from agentdoctor.model import Severity

READ = 256 << 10  # bytes of a script that are looked at
_BOM = b"\xef\xbb\xbf"
# What an Ubuntu image has at these places.
_THERE = {f"{folder}/{name}" for folder in ("/bin", "/usr/bin") for name in ("sh", "bash", "dash", "perl", "python3")}
_THERE |= {"/usr/bin/env", "/bin/env", "/bin/true", "/usr/bin/awk"}
_PROGRAMS = ("sh", "bash", "dash", "perl", "python3", "awk")
_ELF = b"\x7fELF"


def _told(spec: Table) -> Iterator[Value]:
    """The location of each script, as far as hooks has the right shape."""
    hooks = spec.get("hooks")
    for _, listed in hooks.data.pairs() if hooks is not None and isinstance(hooks.data, Table) else ():
        for script in maps(listed):
            location = script.get("location")
            if location is not None and stripped(location):
                yield location


def locations(spec: Table, root: str) -> dict[str, Value]:
    """Where each script lies in the bundle, and the first location that says so."""
    found: dict[str, Value] = {}
    for location in _told(spec):
        path = within(root, stripped(location))
        if path:
            found.setdefault(path, location)
    return found


def outside(spec: Table) -> list[Value]:
    """The locations that lead out of the bundle."""
    return [location for location in _told(spec) if within("", stripped(location)) is None]


def leads_out(location: Value) -> Problem:
    """Agent 1.x runs what lies there on the host, 2.x refuses it where it is told to."""
    shown = stripped(location)[:80]
    words = f"the script {shown!r} is not in the bundle: its location leads out of it"
    return replace(
        Problem("script-missing", words, location.line, location.column, details={"path": shown}),
        severity=Severity.WARNING,
    )


def absent(path: str, location: Value, found: dict[str, Entry], names: Names) -> Problem | None:
    """A script that is not there, or is no file."""
    entry = followed(found, path)
    shown = stripped(location)[:80]
    if entry is None:
        link = " leads by a link to what" if path in found else ""
        words = f"the script {shown!r}{link} is not in the bundle{names.nearest(path)}"
        return Problem("script-missing", words, location.line, location.column, details={"path": shown})
    if entry.kind != "file":
        words = f"the script {shown!r} is a {entry.kind}, which nobody can run"
        return Problem("script-permission-denied", words, location.line, location.column, details={"script": shown})
    return None


def content(path: str, entry: Entry, text: bytes) -> Iterator[Problem]:
    """All that is wrong with a script. ``path`` is how it is shown."""
    if text.startswith(_ELF):
        yield from _executable(path, entry)
        return
    first = text.partition(b"\n")[0]
    if text.startswith(_BOM):
        words = "a byte order mark stands before the first line, so no interpreter is named in it"
        yield _warning("script-interpreter-invalid", words, path)
    elif not first.startswith(b"#!"):
        words = "the first line names no interpreter, so sh runs it at best; write #!/bin/bash there"
        yield _warning("script-interpreter-invalid", words, path)
    else:
        yield from _interpreter(path, first[2:].rstrip(b"\r").decode("utf-8", "replace").strip())
    yield from _endings(path, text)
    yield from _executable(path, entry)
    yield from _left_open(path, text.decode("utf-8", "replace"))


def program(text: bytes) -> str:
    """What the first line asks the kernel, or env, to run: a path or a name; "" if it asks for nothing."""
    first = text.partition(b"\n")[0].rstrip(b"\r")
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    if not words or posixpath.basename(words[0]) != "env":
        return words[0] if words else ""
    return next((word for word in words[1:] if not word.startswith("-") and "=" not in word), words[0])


def events(spec: Table, root: str) -> dict[str, list[str]]:
    """The lifecycle events of each script, by where it lies in the bundle."""
    found: dict[str, list[str]] = {}
    hooks = spec.get("hooks")
    for event, listed in hooks.data.pairs() if hooks is not None and isinstance(hooks.data, Table) else ():
        for script in maps(listed):
            location = script.get("location")
            path = within(root, stripped(location)) if location is not None and stripped(location) else None
            if path:
                found.setdefault(path, []).append(str(event.data))
    return found


def _problem(rule: str, words: str, path: str, line: int = 1) -> Problem:
    return Problem(rule, words, line, 1, path, details={"script": path, "path": path})


def _warning(rule: str, words: str, path: str, line: int = 1) -> Problem:
    return replace(_problem(rule, words, path, line), severity=Severity.WARNING)


def _elsewhere(words: str, path: str, program: str) -> Problem:
    """Of an interpreter that some hosts have."""
    told = _warning("script-interpreter-invalid", words, path)
    return replace(told, details={**told.details, "program": program})


def _endings(path: str, text: bytes) -> Iterator[Problem]:
    at = text.find(b"\r\n")
    if at < 0:
        return
    line = text.count(b"\n", 0, at) + 1
    if line == 1 and text.startswith(b"#!"):
        words = "the first line ends in CR and LF, so the kernel looks for an interpreter with a CR in its name"
        yield _problem("script-line-endings", words, path)
    else:
        words = "lines end in CR and LF; the shell takes the CR for a part of the command"
        yield _warning("script-line-endings", words, path, line)


def _executable(path: str, entry: Entry) -> Iterator[Problem]:
    if entry.mode is not None and not entry.mode & 0o111:
        words = "it is not executable in the bundle; the agent makes it so, where it may"
        yield replace(_problem("script-not-executable", words, path), severity=Severity.INFO)


def _interpreter(path: str, named: str) -> Iterator[Problem]:
    """What the kernel makes of a first line: the first word is run, all that follows is one argument."""
    program, _, rest = named.partition(" ")
    rest = rest.strip()
    if posixpath.basename(program) == "env" and not rest.startswith("-"):
        if " " in rest:
            words = f"the kernel hands {rest[:60]!r} to env as one word, which names no program; write env -S"
            yield _problem("script-interpreter-invalid", words, path)
        elif rest not in _PROGRAMS:
            words = f"{rest[:60] or 'nothing'} must be on the PATH of the agent, which reads no profile of a user"
            yield _elsewhere(words, path, rest)
    elif not program.startswith("/"):
        words = f"the interpreter {program[:60]!r} is no absolute path"
        yield _warning("script-interpreter-invalid", words, path)
    elif program not in _THERE and not rest.startswith("-S"):
        words = f"the interpreter {program[:60]} must be on the host; a stock Ubuntu does not have it"
        yield _elsewhere(words, path, program)


_BACKGROUND = re.compile(r"(?<![&|>])&[ \t]*(?:#.*|\)[ \t]*|disown\b.*|echo\b.*)?$")
_PARTS = re.compile(r"[&|;]")
_ALL = re.compile(r"^[ \t]*exec\b[^#\n]*>", re.MULTILINE)
_WAITS = re.compile(r"^[ \t]*wait\b", re.MULTILINE)


def _left_open(path: str, text: str) -> Iterator[Problem]:
    """A command in the background that still holds output or errors: the agent waits for it until the timeout."""
    if _ALL.search(text) or _WAITS.search(text):
        return
    for number, line in enumerate(text.split("\n"), 1):
        told = line.strip()
        if told.startswith("#") or not _BACKGROUND.search(told[:2000]):
            continue
        if not _turned(told[:2000]):
            words = "what runs in the background here keeps the output open, so the agent waits for it"
            yield _warning("script-output-left-open", words, path, number)
            return


def _turned(command: str) -> bool:
    """Whether both output and errors go elsewhere: ``&> FILE``, ``> FILE 2>&1``, ``> FILE 2> FILE``, in any order."""
    command = command.replace("2>&1", "2>output")  # which turns errors to where the output goes, and no further
    if "&>" in command or ">&" in command:
        return True
    return any("2>" in part and part.count(">") > part.count(">>") + 1 for part in _PARTS.split(command))
