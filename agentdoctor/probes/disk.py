"""Room on the file systems that the agent needs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from agentdoctor import layout
from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe


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
    known = layout.read(look.host)
    wanted = (known.root_dir, known.log_dir, "/tmp", "/opt/codedeploy-agent")  # noqa: S108 - looked at, not used
    return least(dict(nearest(look.host, path) for path in wanted))
