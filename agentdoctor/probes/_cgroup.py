"""Who lives in a control group, by the files of cgroups(7)."""

from __future__ import annotations

import os

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook

# Of cgroup v2; of systemd's own hierarchy beside v1; of v2 beside v1.
_MOUNTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")


def members(host: Host, group: str) -> list[int]:
    """All pids of a control group, by its path as systemd says it, and of those below it.

    CannotLook where it is not there, as in a container that sees another part of the tree.
    """
    for mount in _MOUNTS:
        if host.exists(f"{mount}{group}/cgroup.procs"):
            folders = os.walk(host.path(f"{mount}{group}"))
            return [pid for folder, _, _ in folders for pid in _pids(f"{folder}/cgroup.procs")]
    raise CannotLook(f"there is no control group {group} at /sys/fs/cgroup")


def _pids(path: str) -> list[int]:
    try:
        with open(path, encoding="utf-8") as file:
            return [int(line) for line in file]
    except FileNotFoundError:
        return []  # the group went away


def command(pid: int) -> str:
    """The name of a command, as ps(1) shows it without arguments; "?" when it has ended."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "?"
