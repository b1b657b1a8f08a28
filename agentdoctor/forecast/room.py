"""The file systems that a revision goes to: may they be written to, and is there room."""

from __future__ import annotations

import os
import posixpath
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from agentdoctor import layout
from agentdoctor.appspec.finding import Problem
from agentdoctor.appspec.values import Value
from agentdoctor.bundle.revision import Revision
from agentdoctor.forecast.after import plain
from agentdoctor.forecast.instance import Instance
from agentdoctor.host import Host
from agentdoctor.model import Severity
from agentdoctor.probes.disk import nearest
from agentdoctor.probes.install import cleaned_paths

_BLOCK = 4096  # bytes, of the usual file systems; each file takes whole ones
_MOST = 200  # destinations that are looked at one by one


def lacking(revision: Revision, instance: Instance) -> Iterator[Problem | str]:
    """Places that cannot be written to, then file systems that are too small."""
    tops = _tops(revision)
    for top, told in list(tops.items())[:_MOST]:
        yield from _closed(top, told, instance)
    if len(tops) > _MOST:
        yield f"file systems: only the first {_MOST} destinations were looked at"
    yield from _root(instance)
    if instance.host.live:
        yield from _full(revision, instance)
    else:
        yield "file systems: a copied tree does not show how much room its host has"


def _tops(revision: Revision) -> dict[str, Value]:
    """The directories that files are brought to, without those below another of them."""
    parents = {plain(path): told for path, told in revision.plan.told.items() if path.startswith("/")}
    tops = {posixpath.dirname(path) if path in revision.plan.copies else path: told for path, told in parents.items()}
    return {top: told for top, told in tops.items() if top == "/" or posixpath.dirname(top) not in tops}


def _closed(top: str, told: Value, instance: Instance) -> Iterator[Problem | str]:
    seen = instance.value("disk.path", path=top, wanted="dir")
    if isinstance(seen, str):
        yield seen
        return
    if seen["read_only"]:
        words = f"{top} is on a file system that is mounted read-only"
        yield Problem("filesystem-read-only", words, told.line, told.column, details={"path": top})
    elif seen["immutable"]:
        words = f"{seen['nearest_parent']} is immutable (chattr +i), so nothing can be made in it"
        yield Problem("path-permission-denied", words, told.line, told.column, details={"path": top})


def _root(instance: Instance) -> Iterator[Problem | str]:
    seen = instance.value("disk.mounts")
    root = layout.read(instance.host).root_dir
    if isinstance(seen, str):
        yield seen
    elif root in seen["read_only"]:
        words = f"the deployment root {root} is on a file system that is mounted read-only"
        yield Problem("filesystem-read-only", words, details={"path": root})


@dataclass
class _System:
    """A file system: its free bytes and inodes as root may take them, and what is asked of it."""

    place: str
    free: int
    inodes: int | None
    told: Value | None = None
    files: Counter[str] = field(default_factory=Counter)  # bytes and inodes of the installed files
    unpacked: int = 0  # bytes of the revision itself, which old revisions may make room for


def _full(revision: Revision, instance: Instance) -> Iterator[Problem]:
    systems: dict[int, _System] = {}
    devices: dict[str, int] = {}
    for path, source in revision.plan.copies.items():
        if path.startswith("/"):
            folder = posixpath.dirname(plain(path))
            if folder not in devices:
                devices[folder] = _system(instance.host, folder, systems, revision.plan.told[path])
            one = systems[devices[folder]]
            one.files.update(bytes=_blocks(revision.entries[source].size), inodes=1)
    root = _system(instance.host, layout.read(instance.host).root_dir, systems, None)
    systems[root].unpacked = sum(_blocks(entry.size) for entry in revision.entries.values())
    _free(instance, systems)
    for one in systems.values():
        yield from _small(one)


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _system(host: Host, path: str, systems: dict[int, _System], told: Value | None) -> int:
    place, found = nearest(host, path)
    device = os.stat(host.path(place)).st_dev
    if device not in systems:
        inodes = found.f_ffree if found.f_files else None
        systems[device] = _System(place, found.f_bfree * found.f_frsize, inodes)
    systems[device].told = systems[device].told or told
    return device


def _free(instance: Instance, systems: dict[int, _System]) -> None:
    """What the clean-up of the group gives back first."""
    for path in cleaned_paths(instance.host, instance.group) if instance.group else ():
        try:
            found = os.lstat(instance.host.path(path))
        except OSError:
            continue
        one = systems.get(found.st_dev)
        if one and not stat.S_ISDIR(found.st_mode) and found.st_nlink == 1:
            one.free += found.st_blocks * 512
            one.inodes = None if one.inodes is None else one.inodes + 1


def _small(one: _System) -> Iterator[Problem]:
    line, column = (one.told.line, one.told.column) if one.told else (0, 0)
    files, total = one.files["bytes"], one.files["bytes"] + one.unpacked
    if total > one.free:
        words = (
            f"the file system of {one.place} has room for {one.free >> 20} MiB, and this revision takes"
            f" {total >> 20} MiB of it ({files >> 20} installed, {one.unpacked >> 20} unpacked)"
        )
        sure = Severity.CRITICAL if files > one.free else Severity.WARNING  # old revisions may be removed first
        yield replace(Problem("disk-full", words, line, column, details={"path": one.place}), severity=sure)
    if one.inodes is not None and one.files["inodes"] > one.inodes:
        words = f"the file system of {one.place} has {one.inodes} free inodes, and {one.files['inodes']} files go to it"
        yield Problem("inodes-full", words, line, column, details={"path": one.place})
