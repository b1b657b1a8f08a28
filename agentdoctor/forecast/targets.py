"""What stands where Install wants to put something (installer.rb), whose it is, and what Install does then."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from agentdoctor.appspec.finding import Problem
from agentdoctor.appspec.values import Value, false, text
from agentdoctor.bundle.revision import Revision
from agentdoctor.forecast.after import After, plain
from agentdoctor.forecast.instance import Instance
from agentdoctor.model import Severity
from agentdoctor.probes.install import cleaned_paths, listed_paths

_EXISTS, _CONFLICT = "file-already-exists", "destination-conflict"


@dataclass
class _Met:
    """What is in the way of one entry of files, for one reason: the first, and how many there are."""

    told: Value
    first: str
    paths: list[str] = field(default_factory=list)


def met(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    """All that stands at a destination, and whether that matters."""
    if not instance.host.live:
        yield "what stands at the destinations: a copied tree does not hold all that its host has"
        return
    after = After(instance.host, cleaned_paths(instance.host, instance.group) if instance.group else ())
    owners = _Owners(instance)
    behavior = _behavior(revision)
    groups: dict[tuple[int, str, str, str], _Met] = {}
    for path, told in revision.plan.told.items():
        if not path.startswith("/"):
            yield f"what stands at {path}: only the agent knows from which directory that is taken"
            continue
        way = _way(plain(path), path in revision.plan.folders, after)
        if way:
            whose = owners.whose(way[1]) if way[0] == _EXISTS else ""
            groups.setdefault((id(told), way[0], whose, way[2]), _Met(told, way[1])).paths.append(way[1])
    for (_, rule, whose, kind), one in groups.items():
        yield _conflict(one, kind) if rule == _CONFLICT else _exists(one, whose, behavior, kind)
    yield from owners.unknown


def _behavior(revision: Revision) -> str:
    """What the AppSpec says; "" where it leaves that to the deployment."""
    said = revision.spec.get("file_exists_behavior")
    return "" if said is None or false(said) else text(said)


def _way(path: str, folder: bool, after: After) -> tuple[str, str, str] | None:
    """The rule, what is in the way, and of which kind it is; None if nothing is."""
    kind = after.stands(path)
    if folder:
        return (_CONFLICT, path, kind) if kind not in ("", "directory") else _above(path, after)
    return (_EXISTS, path, kind) if kind else _above(path, after)


def _above(path: str, after: After) -> tuple[str, str, str] | None:
    """What stands above it and is no directory."""
    parent = posixpath.dirname(path)
    while parent != "/":
        kind = after.stands(parent)
        if kind:
            return None if kind == "directory" else (_CONFLICT, parent, kind)
        parent = posixpath.dirname(parent)
    return None


class _Owners:
    """Which group installed a path, by the lists that the agent keeps."""

    def __init__(self, instance: Instance) -> None:
        self.unknown: list[str] = []
        self._of: dict[str, str] = {}
        for group in instance.others:
            try:
                paths, whole = listed_paths(instance.host, group)
            except OSError as error:
                self.unknown.append(f"what group {group} has installed: {error.strerror or error}")
                continue
            self._of.update(dict.fromkeys(map(plain, paths), f"group {group} has installed it"))
            if not whole:
                self.unknown.append(f"what group {group} has installed: its lists cannot be read to their end")
        own = listed_paths(instance.host, instance.group)[0] if instance.group else ()
        words = "this group has installed it, and its clean-up list no longer names it"
        self._of.update(dict.fromkeys(map(plain, own), words))

    def whose(self, path: str) -> str:
        """In words."""
        nobody = "no list that could be read names it" if self.unknown else "no deployment group has installed it"
        return self._of.get(path, nobody)


def _exists(one: _Met, whose: str, behavior: str, kind: str) -> Problem:
    what = f"{one.first} is there already: {whose}{_more(one.paths)}"
    details = {"path": one.first}
    if behavior == "RETAIN":
        return _at(one, _EXISTS, f"{what}; it stays, and what the bundle has is not installed", details, Severity.INFO)
    if behavior == "OVERWRITE" and kind == "directory":
        words = f"{one.first} is a directory; Install puts the file into it, and not in its place{_more(one.paths)}"
        return _at(one, _CONFLICT, words, details, Severity.WARNING)
    if behavior == "OVERWRITE":
        shared = whose.startswith("group ")
        words = f"{what}; it is written over, and removed by the next Install of this group"
        return _at(one, _EXISTS, words, details, Severity.WARNING if shared else Severity.INFO)
    unless = "" if behavior else ", unless the deployment says OVERWRITE or RETAIN"
    return _at(one, _EXISTS, f"{what}; Install stops there{unless}", details)


def _conflict(one: _Met, kind: str) -> Problem:
    words = f"{one.first} is a {kind} here, and Install needs a directory there{_more(one.paths)}"
    return _at(one, _CONFLICT, words, {"path": one.first})


def _more(paths: list[str]) -> str:
    others = len(set(paths)) - 1
    return f" ({others} more like it)" if others else ""


def _at(
    one: _Met, rule: str, words: str, details: Mapping[str, str], severity: Severity = Severity.CRITICAL
) -> Problem:
    return replace(Problem(rule, words, one.told.line, one.told.column, details=details), severity=severity)
