"""Room on the file systems that the agent needs."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Mapping
from dataclasses import replace

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe

_GET_FLAGS, _IMMUTABLE = 0x80086601, 0x10  # FS_IOC_GETFLAGS and FS_IMMUTABLE_FL of linux/fs.h, on 64 bits


def nearest(host: Host, path: str) -> tuple[str, os.statvfs_result]:
    """The path itself or the first of its parents that exists, and its file system. OSError if we may not know."""
    while True:
        try:
            return path, os.statvfs(host.path(path))
        except (FileNotFoundError, NotADirectoryError):
            if path == "/":
                raise
            path = os.path.dirname(path)


UNLIMITED = 1 << 62  # inodes of a file system that makes them as they are needed


def least(found: Mapping[str, os.statvfs_result]) -> Values:
    """The values of disk.space for paths and their file systems. CannotLook if none of them counts blocks.

    Free is what root may still take (f_bfree), because the agent runs as root. Some file systems have no fixed
    number of inodes (btrfs: f_files is 0) and cannot run out of them: UNLIMITED when none of them has.
    """
    sized = {path: fs for path, fs in found.items() if fs.f_blocks > 0}
    if not sized:
        raise CannotLook("no file system here says how large it is")
    path = min(sized, key=lambda path: sized[path].f_bfree * sized[path].f_frsize)
    counted = {path: fs.f_ffree for path, fs in found.items() if fs.f_files > 0}
    inodes_path = min(counted, key=counted.__getitem__, default="")
    return {
        "free_bytes": sized[path].f_bfree * sized[path].f_frsize,
        "free_bytes_path": path,
        "free_inodes": counted.get(inodes_path, UNLIMITED),
        "free_inodes_path": inodes_path,
        "free_percent": round(100 * sized[path].f_bfree / sized[path].f_blocks, 1),
        "read_only": sorted(path for path, fs in found.items() if fs.f_flag & os.ST_RDONLY),
    }


@probe("disk.space", source="disk")
def space(look: Look) -> Values:
    """``{free_bytes, free_bytes_path, free_inodes, free_inodes_path, free_percent, read_only}``.

    The least of the deployment root, the log directory, /tmp and the agent's own directory; of a directory that
    does not exist yet, its nearest parent, which the paths then name.
    """
    return least(dict(nearest(look.host, path) for path in _places(look.host)))


def _places(host: Host) -> tuple[str, ...]:
    """Where the agent must be able to write."""
    known = layout.read(host)
    return known.root_dir, known.log_dir, "/tmp", "/opt/codedeploy-agent"  # noqa: S108 - looked at, not used


@probe("disk.mounts", source="disk")
def mounts(look: Look) -> Values:
    """``{read_only, noexec, root_noexec}``: which of the agent's places lie on a file system that is mounted so.

    ``root_noexec``: the deployment root does, from which scripts are run; /tmp often does, which hurts nobody.
    """
    host = _seen_by_agent(look)
    found = {place: nearest(host, place)[1].f_flag for place in _places(look.host)}
    return {
        "read_only": sorted(place for place, flags in found.items() if flags & os.ST_RDONLY),
        "noexec": sorted(place for place, flags in found.items() if flags & os.ST_NOEXEC),
        "root_noexec": bool(found[layout.read(look.host).root_dir] & os.ST_NOEXEC),
    }


@probe("disk.path", source="disk", about=("path",), also=("wanted",))
def path(look: Look) -> Values:
    """``{exists, kind, nearest_parent, in_the_way, owner, mode, immutable, read_only, noexec}`` of ``path``.

    ``kind`` is file, directory, other or "", links followed. ``nearest_parent`` is what exists on the way to it, the
    path itself if it does; owner, mode (in octal) and the mount are its. ``in_the_way`` is what makes Install fail
    there: a file where a directory must be, or a directory at the path of a file; ``wanted`` is "dir" where a
    directory is to be made. ``immutable``: chattr +i is set there or on the parent; None where the file system has
    no such flags.
    """
    absolute = look.about["path"]
    if not absolute.startswith("/") or posixpath.normpath(absolute) != absolute or "\0" in absolute:
        raise CannotLook("the log names a path that is not absolute and plain")
    host = _seen_by_agent(look)
    there, system = nearest(host, absolute)
    found = os.stat(host.path(there))
    kind = _kind(found.st_mode) if there == absolute else ""
    return {
        "exists": there == absolute,
        "kind": kind,
        "nearest_parent": there,
        "in_the_way": _in_the_way(absolute, there, _kind(found.st_mode), look.about.get("wanted") == "dir"),
        "owner": _user(found.st_uid),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "immutable": _immutable(host, there),
        "read_only": bool(system.f_flag & os.ST_RDONLY),
        "noexec": bool(system.f_flag & os.ST_NOEXEC),
    }


def _seen_by_agent(look: Look) -> Host:
    """The host as the agent sees it: systemd may mount a directory read-only for its unit alone.

    Only root may look there, and only while the agent runs; else as everybody sees it.
    """
    agent = look.ask("process.agent").value if look.host.root == "/" else None
    pid = agent["master_pid"] if agent else 0
    root = f"/proc/{pid}/root"
    return replace(look.host, root=root) if pid and os.access(f"{root}/proc", os.X_OK) else look.host


def _kind(mode: int) -> str:
    return "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def _in_the_way(wanted: str, there: str, kind: str, directory: bool) -> str:
    if there != wanted:
        return "" if kind == "directory" else there
    return there if (kind == "directory") is not directory else ""


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _immutable(host: Host, place: str) -> bool | None:
    """Whether the flag is set on a place or its directory, in which nothing can then be made or removed."""
    flags = [_flags(host.path(each)) for each in (place, posixpath.dirname(place))]
    known = [bool(each & _IMMUTABLE) for each in flags if each is not None]
    return any(known) if known else None


def _flags(place: str) -> int | None:
    """The attributes that lsattr shows, None where there are none (ioctl_iflags(2))."""
    import array
    import fcntl

    try:
        if not stat.S_ISDIR(os.stat(place).st_mode) and not stat.S_ISREG(os.stat(place).st_mode):
            return None  # to open a device may do something
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        flags = array.array("l", [0])
        fcntl.ioctl(descriptor, _GET_FLAGS, flags, True)
        return flags[0]
    except OSError:
        return None
    finally:
        os.close(descriptor)
