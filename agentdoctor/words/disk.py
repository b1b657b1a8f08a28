"""Words for what ``probes/disk.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, size


def _disk(value: Mapping[str, Any]) -> str:
    return f"{size(value['free_bytes'])} free at {value.get('free_bytes_path')}"


def _mounts(value: Mapping[str, Any]) -> str:
    kinds = (("read-only", value.get("read_only")), ("noexec", value.get("noexec")))
    return "; ".join(f"{' and '.join(places)} mounted {kind}" for kind, places in kinds if places)


def _read_only_places(value: Mapping[str, Any]) -> str:
    places = value.get("read_only")
    return f"{' and '.join(places)} mounted read-only" if places else "no place of the agent is mounted read-only"


def _root_noexec(value: Mapping[str, Any]) -> str:
    return f"the deployment root is {'' if value.get('root_noexec') else 'not '}mounted noexec"


def _path(value: Mapping[str, Any]) -> str:
    marks = [text for key, text in (("immutable", "immutable"), ("read_only", "mounted read-only")) if value.get(key)]
    extra = f", {' and '.join(marks)}" if marks else ""
    return f"{value.get('nearest_parent')} belongs to {value.get('owner')}, mode {value.get('mode')}{extra}"


def _mounted(value: Mapping[str, Any]) -> str:
    how = "read-only" if value.get("read_only") else "for writing"
    return f"{value.get('nearest_parent')} is on a file system mounted {how}"


def _in_the_way(value: Mapping[str, Any]) -> str:
    place = value.get("in_the_way")
    if not place:
        return "nothing is in the way to the path now"
    return f"{place} is a {value.get('kind') or 'file'}"


PHRASES: dict[str, Phrase] = {
    "disk.mounts": _mounts,
    "disk.mounts.read_only": _read_only_places,
    "disk.mounts.root_noexec": _root_noexec,
    "disk.path": _path,
    "disk.path.immutable": _path,
    "disk.path.in_the_way": _in_the_way,
    "disk.path.read_only": _mounted,
    "disk.space.free_bytes": _disk,
}
STATED = {
    "disk.mounts.read_only": (
        "a place of the agent is mounted read-only",
        "no place of the agent is mounted read-only",
    ),
    "disk.mounts.root_noexec": (
        "the deployment root is mounted noexec",
        "the deployment root is not mounted noexec",
    ),
    "disk.path.immutable": ("the path or its directory is immutable", "neither path nor directory is immutable"),
    "disk.path.in_the_way": (
        "a file stands where a directory must be, or the reverse",
        "nothing of the wrong kind is in the way",
    ),
    "disk.path.read_only": ("the path is on a file system mounted read-only", "the file system is mounted for writing"),
}
NAMED = {
    "disk.space.free_bytes": "the free space, the least of all places that the agent writes to,",
    "disk.space.free_inodes": "the number of free inodes, the least of all places that the agent writes to,",
}
