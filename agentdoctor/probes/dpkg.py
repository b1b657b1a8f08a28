"""dpkg: who holds its lock, what it left half done, and when it last changed the agent."""

from __future__ import annotations

import os
import re
import time

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe

_LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock")
_STATUS, _UPDATES, _LOG = "/var/lib/dpkg/status", "/var/lib/dpkg/updates", "/var/log/dpkg.log"
_LIMIT = 16 << 20
# 1: POSIX  ADVISORY  WRITE 1234 fd:01:131090 0 EOF (proc_locks(5)); numbers of the device in hexadecimal
_HELD = re.compile(r"^\d+: POSIX +ADVISORY +WRITE +(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) ", re.MULTILINE)
_HALF = re.compile(r"^Status: \S+ \S+ (?:half-installed|unpacked|half-configured|triggers-awaited|triggers-pending)$")
_CHANGE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:install|upgrade|remove|status) .*\bcodedeploy-agent\b")
_SHOWN = 5


@probe("dpkg.state", source="package")
def state(look: Look) -> Values:
    """``{lock_holder, interrupted, half_done, last_agent_change, unattended_running}``.

    ``lock_holder`` is the name of the process that holds a lock of dpkg or apt, "" if none does, "?" if it cannot be
    named. ``half_done`` are packages that dpkg unpacked and did not configure; ``interrupted``: there are some, or
    changes that it has noted and not taken over, while nobody is at work. ``last_agent_change`` in seconds since the
    epoch is the last line of dpkg.log on the agent, None if there is none. CannotLook where there is no dpkg.
    """
    try:
        half = half_done(look.host.read(_STATUS, _LIMIT))
    except (FileNotFoundError, NotADirectoryError):
        raise CannotLook("there is no dpkg here", skip=True) from None
    holder = _holder(look.host)
    pending = any(name.isdigit() for name in look.host.listing(_UPDATES)) if look.host.exists(_UPDATES) else False
    return {
        "lock_holder": holder,
        "interrupted": not holder and (bool(half) or pending),
        "half_done": half[:_SHOWN],
        "last_agent_change": _last_change(look.host),
        "unattended_running": _unattended(look.host),
    }


def half_done(status: str) -> list[str]:
    """The packages of dpkg's status file (blocks of lines) that are neither installed nor gone."""
    found, package = [], ""
    for line in status.splitlines():
        if line.startswith("Package: "):
            package = line.removeprefix("Package: ")
        elif line.startswith("Status: ") and _HALF.match(line):
            found.append(package)
    return found


def _holder(host: Host) -> str:
    held = [
        (int(pid), int(a, 16), int(b, 16), int(inode)) for pid, a, b, inode in _HELD.findall(host.read("/proc/locks"))
    ]
    for path in _LOCKS:
        try:
            lock = os.stat(host.path(path))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for pid, major, minor, inode in held:
            # btrfs and overlay have made-up devices, which the kernel's table names otherwise than stat
            same = (major, minor) == (os.major(lock.st_dev), os.minor(lock.st_dev)) or not os.major(lock.st_dev)
            if inode == lock.st_ino and same:
                return _name(host, pid)
    return ""


def _name(host: Host, pid: int) -> str:
    try:
        return host.read(f"/proc/{pid}/comm", 64).strip() or "?"
    except OSError:
        return "?"


def _last_change(host: Host) -> float | None:
    """dpkg stamps its log in local time; the log of the month before is beside it."""
    for path in (_LOG, f"{_LOG}.1"):
        try:
            lines = host.read(path, _LIMIT).splitlines()
        except (FileNotFoundError, NotADirectoryError):
            continue
        changes = [found[1] for found in map(_CHANGE.match, lines) if found]
        if changes:
            return time.mktime(time.strptime(changes[-1], "%Y-%m-%d %H:%M:%S"))
    return None


def _unattended(host: Host) -> bool:
    """Whether unattended-upgrade runs; unattended-upgrade-shutdown only waits for the end of the host, always."""
    for pid in filter(str.isdigit, host.listing("/proc")):
        try:
            words = host.read(f"/proc/{pid}/cmdline", 4096).split("\0")
        except OSError:
            continue
        if any(os.path.basename(word) in ("unattended-upgrade", "unattended-upgrades") for word in words[:3]):
            return True
    return False
