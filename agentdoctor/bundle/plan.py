"""What Install would do with a bundle (installer.rb, install_instruction.rb), and where it would stop."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from agentdoctor.appspec.finding import Problem
from agentdoctor.appspec.regrets import entries as maps
from agentdoctor.appspec.shapes import each
from agentdoctor.appspec.values import Table, Value, absent, false, stripped, text
from agentdoctor.bundle.entries import Entry
from agentdoctor.bundle.names import Names, within

_MOST = 1_000_000  # comparisons; each source, and each entry of permissions, may be for all of a large bundle
_TWICE = "install-duplicate-destination"


@dataclass
class Plan:
    """What is copied, by destination, and the directories that are made."""

    copies: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    told: dict[str, Value] = field(default_factory=dict)  # the source that brings a destination
    met: int = 0  # files that were compared with it
    cut: bool = False

    def full(self) -> bool:
        """Whether enough has been compared. It counts one more."""
        self.met += 1
        self.cut = self.cut or self.met > _MOST
        return self.cut


def planned(spec: Table, root: str, found: dict[str, Entry], names: Names) -> tuple[Plan, list[Problem]]:
    """The plan for the files of an AppSpec, and what is wrong with it: one problem for each entry of files."""
    plan, problems = Plan(), []
    below = _children(found)
    for file in maps(spec.get("files")):
        source, destination = file.get("source"), file.get("destination")
        if source is None or destination is None or not isinstance(destination.data, str):
            continue
        path = within(root, text(source))
        entry = found.get(path) if path else None
        if path is None:
            problems.append(
                _at(source, "source-file-missing", f"the source {text(source)[:80]!r} leads out of the bundle")
            )
        elif path and entry is None:
            problems.append(_absent(source, path, names))
        else:
            problems += _copy(plan, source, _copied(path, entry, posixpath.normpath(destination.data), below))
    return plan, problems


def _at(value: Value, rule: str, words: str, **details: str) -> Problem:
    return Problem(rule, words, value.line, value.column, details=dict(details))


def _absent(source: Value, path: str, names: Names) -> Problem:
    shown = text(source)[:80]
    wild = ", and a wildcard is taken as it stands" if any(mark in shown for mark in "*?[") else ""
    words = f"the source {shown!r} is not in the bundle{wild}{names.nearest(path)}"
    return _at(source, "source-file-missing", words, source=shown)


def _children(found: dict[str, Entry]) -> dict[str, list[str]]:
    below: dict[str, list[str]] = {}
    for path in found:
        below.setdefault(posixpath.dirname(path), []).append(path)
    return below


def _copied(
    path: str, entry: Entry | None, destination: str, below: dict[str, list[str]]
) -> Iterator[tuple[str, str, bool]]:
    """Source, destination and whether it is a directory: of a directory all that is in it, links as they are."""
    if entry is not None and entry.kind != "directory":
        yield path, f"{destination}/{posixpath.basename(path)}", False
        return
    yield path, destination, True
    waiting = [(path, destination)]
    while waiting:
        here, there = waiting.pop()
        for child in below.get(here, ()):
            to = f"{there}/{posixpath.basename(child)}"
            yield child, to, child in below
            if child in below:
                waiting.append((child, to))


def _copy(plan: Plan, source: Value, copied: Iterator[tuple[str, str, bool]]) -> list[Problem]:
    """Add to the plan; the first thing of a source that is in the way of another is told, with how many there are."""
    first, count = "", 0
    for path, to, folder in copied:
        if plan.full():
            break
        if to in plan.copies or (not folder and to in plan.folders):
            first = first or f"{path or 'the bundle'} and {plan.copies.get(to, 'a directory')} both go to {to}"
            count += 1
        elif folder:
            plan.folders.add(to)
            plan.told.setdefault(to, source)
        else:
            plan.copies[to] = path
            plan.told[to] = source
    if not count:
        return []
    more = f", and {count - 1} more" if count > 1 else ""
    to = first.rpartition(" both go to ")[2]
    return [_at(source, _TWICE, f"{first}{more}", path=to)]


def permitted(spec: Table, plan: Plan) -> list[Problem]:
    """What Install refuses in the permissions of this plan: a file that two entries meet, a pattern for a file."""
    problems: list[Problem] = []
    met: dict[str, int] = {}
    for entry in maps(spec.get("permissions")):
        name = entry.get("object")
        if name is None or not stripped(name):
            continue
        if _place(entry) in plan.copies:
            problems += _of_file(entry, _place(entry))
        matches = met_by(entry, plan)
        twice = [path for path in matches if path in met]
        if twice:
            words = f"{twice[0]} is met by the entry on line {met[twice[0]]} already, and Install allows one"
            more = f" ({len(twice)} files and directories)" if len(twice) > 1 else ""
            problems.append(_at(name, "appspec-permissions-invalid", words + more, object=twice[0]))
        met.update(dict.fromkeys(matches, name.line))
    return problems


def met_by(entry: Table, plan: Plan) -> list[str]:
    """The files and directories of a plan that an entry of permissions is for; none of what it does not know."""
    place = _place(entry)
    if place in plan.copies:
        return [place]
    return list(_matches(entry, place, plan)) if place in plan.folders else []


def _place(entry: Table) -> str:
    name = entry.get("object")
    return posixpath.normpath(stripped(name)) if name is not None and stripped(name) else ""


def _types(entry: Table) -> list[object]:
    types = entry.get("type")
    return ["file", "directory"] if types is None or false(types) else [one.data for one in each(types) or ()]


def _of_file(entry: Table, place: str) -> Iterator[Problem]:
    pattern, except_ = entry.get("pattern"), entry.get("except")
    if "file" not in _types(entry):
        return
    for value, name in ((pattern, "pattern"), (except_, "except")):
        given = value is not None and (each(value) if name == "except" else not absent(value) and value.data != "**")
        if value is not None and given:
            words = f"{place} is a file, for which there is no {name}"
            yield replace(_at(value, "appspec-permissions-invalid", words, object=place))


def _matches(entry: Table, place: str, plan: Plan) -> Iterator[str]:
    """What an entry for a directory means: everything below it, or what lies in it and fits the pattern."""
    pattern = entry.get("pattern")
    every = pattern is None or absent(pattern) or pattern.data == "**"
    wanted = "" if every or pattern is None else text(pattern)
    left_out = [text(one) for one in each(entry.get("except") or Value(None, 1, 1)) or ()]
    types, begin = _types(entry), place.rstrip("/") + "/"
    for path in [*(plan.copies if "file" in types else ()), *(plan.folders if "directory" in types else ())]:
        if plan.full():
            return
        if not path.startswith(begin):
            continue
        relative = path[len(begin) :]
        if (every or _fits(wanted, relative)) and not any(_fits(one, relative) for one in left_out):
            yield path


def _fits(pattern: str, path: str) -> bool:
    """Whether a path fits a pattern, in which * stands for anything but a slash."""
    parts, names = pattern.split("/"), path.split("/")
    return len(parts) == len(names) and all(map(_fits_name, parts, names))


def _fits_name(pattern: str, name: str) -> bool:
    """Each piece at the first place where it stands: if that does not do, no other does. So it is never tried twice."""
    first, *pieces = pattern.split("*")
    if not pieces:
        return name == pattern
    last = pieces.pop()
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    at, end = len(first), len(name) - len(last)
    for piece in pieces:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
