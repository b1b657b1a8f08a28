"""Memory: what is free now, and whom the kernel killed for want of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agentdoctor.host import Host
from agentdoctor.probes import CannotLook, Look, Values, probe

_DAYS = 7
_LINES = 2000  # of the kernel's that speak of it; a host that kills all the time says no more in the rest
_FIELDS = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
# mm/oom_kill.c: "Out of memory: Killed process 812 (ruby) total-vm:...", "Memory cgroup out of memory: Killed ..."
_KILL = re.compile(
    r"^(?P<at>\d+\.\d+) .*?\b(?:Out of memory|out of memory): Kill(?:ed)? process \d+ \((?P<name>.{0,64}?)\)"
)


@probe("memory.state", source="process")
def state(look: Look) -> Values:
    """``{total_bytes, available_bytes, available_percent, swap_total, swap_free}`` of /proc/meminfo; swap in bytes."""
    found = dict(re.findall(r"^(\w+): +(\d+) kB$", look.host.read("/proc/meminfo"), re.MULTILINE))
    if any(name not in found for name in _FIELDS):
        raise CannotLook("/proc/meminfo does not say how much memory is available")
    total, available, swap_total, swap_free = (int(found[name]) * 1024 for name in _FIELDS)
    return {
        "total_bytes": total,
        "available_bytes": available,
        "available_percent": round(100 * available / total, 1) if total else 0.0,
        "swap_total": swap_total,
        "swap_free": swap_free,
    }


@probe("memory.oom", source="systemd")
def oom(look: Look) -> Values:
    """``{kills, last_victim, last_at}``: processes that the kernel killed in the last 7 days, by its own messages.

    ``last_victim`` is the kernel's name of the process, ``last_at`` seconds since the epoch, None without any.
    """
    kills = list(victims(_kernel_lines(look.host)))
    at, name = kills[-1] if kills else (None, "")
    return {"kills": len(kills), "last_victim": name, "last_at": at}


def victims(lines: Iterable[str]) -> Iterator[tuple[float, str]]:
    """When, and which process, of the kernel's lines with a stamp in seconds."""
    for line in lines:
        found = _KILL.match(line)
        if found:
            yield float(found["at"]), found["name"]


def _kernel_lines(host: Host) -> list[str]:
    """What the kernel said of it. Others than root are shown nothing, which does not mean that there is nothing."""
    options = (f"--since=-{_DAYS}d", "--output=short-unix", "--no-pager", f"--lines={_LINES}")
    done = host.run(["journalctl", "_TRANSPORT=kernel", "--grep=out of memory: kill", *options], timeout=1.8)
    if done.stderr.strip():  # a hint that messages are hidden, or that there is no journal; no match is no error
        raise CannotLook(f"the kernel's journal cannot be read: {done.stderr.strip().splitlines()[0][:200]}")
    return done.stdout.splitlines()
