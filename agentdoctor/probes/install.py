"""Where Install wanted to put a file: what stands there, whose it is, and what the last Install has left."""

from __future__ import annotations

import json
import os
import posixpath
import stat
from collections.abc import Iterable, Mapping

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe
from agentdoctor.probes._archive import group_of, names

_LIST_LIMIT = 8 << 20  # bytes; a line per installed path: some 80,000 files
_PATHS_LIMIT = 50_000  # more cannot be looked at within the time of a probe
_KINDS = ((stat.S_ISLNK, "link"), (stat.S_ISDIR, "directory"), (stat.S_ISREG, "file"))
_CLEANUP, _INSTRUCTIONS = "-cleanup", "-install.json"


@probe("install.owner", source="disk", live=False, about=("path",), also=("group_id", "deployment_id"))
def owner(look: Look) -> Values:
    """``{exists, kind, since, owner, group, gone, listed_total}`` of ``path``.

    ``exists`` is None in a copied tree that lacks it. ``kind`` is file, directory, link, other or "", ``since`` the
    time of its last change in seconds since the epoch.
    ``owner`` is "this group", "another group", "a group" where the finding's own is not known, or "nobody":
    whose ``<group>-cleanup`` or ``<group>-install.json`` has the path (installer.rb). Install first removes
    what the clean-up list names and then the list, and writes its instructions only when no file was in the way, so
    a refused Install leaves the instructions of the last one. ``gone`` of their ``listed_total`` files exist no
    more; None where the group is not known, the tree is a copy, or a list is too long.
    """
    path = look.about["path"]
    if not path.startswith("/") or posixpath.normpath(path) != path or "\0" in path:
        raise CannotLook("the log names a path that is not absolute and plain")
    kind, since = _stands(look.host, path)
    group = group_of(look.host, look.about)
    of_group = {name: listed_paths(look.host, name) for name in listed_groups(look.host)}
    owners = [name for name, (paths, _) in of_group.items() if path in paths]
    unread = any(not whole for _, whole in of_group.values())
    files, whole = of_group.get(group, (frozenset[str](), True))
    return {
        "exists": bool(kind) or (False if look.host.live else None),
        "kind": kind,
        "since": since,
        "owner": _whose(owners, group) if owners or not unread else None,
        "group": group if group in owners else min(owners, default=""),
        "gone": _gone(look.host, files) if group and whole else None,
        "listed_total": len(files),
    }


def _stands(host: Host, path: str) -> tuple[str, float | None]:
    try:
        found = os.lstat(host.path(path))
    except (FileNotFoundError, NotADirectoryError):
        return "", None
    return next((kind for test, kind in _KINDS if test(found.st_mode)), "other"), found.st_mtime


def listed_groups(host: Host) -> list[str]:
    """The ids of the groups of which the agent keeps a list."""
    found = names(host, layout.read(host).instructions)
    ends = [(name, end) for name in found for end in (_CLEANUP, _INSTRUCTIONS) if name.endswith(end)]
    return sorted({name.removesuffix(end) for name, end in ends})


def listed_paths(host: Host, group: str) -> tuple[frozenset[str], bool]:
    """What a group installed, and whether all of that could be read."""
    start = f"{layout.read(host).instructions}/{group}"
    lines, instructions = _text(host, start + _CLEANUP), _text(host, start + _INSTRUCTIONS)
    copied = _copied(instructions)
    whole = copied is not None and max(len(lines), len(instructions)) < _LIST_LIMIT
    listed = (line for line in lines.splitlines() if line.startswith("/"))
    return frozenset((*listed, *(copied or ()))), whole


def cleaned_paths(host: Host, group: str) -> frozenset[str]:
    """What Install removes before it looks at anything: the whole lines of the clean-up list. OSError.

    A last line without its end is left out, and what semanage was told is no file (install_instruction.rb,
    parse_remove_commands).
    """
    text = _text(host, f"{layout.read(host).instructions}/{group}{_CLEANUP}")
    if len(text) >= _LIST_LIMIT:
        raise OSError(f"the clean-up list of {group} is longer than {_LIST_LIMIT} bytes")
    whole = text[: text.rfind("\n") + 1]
    return frozenset(line.strip() for line in whole.split("\n") if line.startswith("/"))


def _text(host: Host, path: str) -> str:
    try:
        return host.read(path, _LIST_LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _copied(text: str) -> list[str] | None:
    """The paths that instructions make, None if they cannot be read."""
    if not text.strip():
        return []
    try:
        steps = json.loads(text)["instructions"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(steps, list):
        return None
    made = (step.get("destination") or step.get("directory") for step in steps if isinstance(step, Mapping))
    return [path for path in made if isinstance(path, str)]


def _whose(owners: list[str], group: str) -> str:
    if not owners:
        return "nobody"
    if not group:
        return "a group"
    return "this group" if group in owners else "another group"


def _gone(host: Host, paths: Iterable[str]) -> int | None:
    """How many of these are not there; a copy of a host does not have all that the host has."""
    known = list(paths)
    if not host.live or len(known) > _PATHS_LIMIT:
        return None
    return sum(not os.path.lexists(host.path(path)) for path in known if "\0" not in path)
