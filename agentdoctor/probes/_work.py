"""What one process is doing right now, by /proc."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping

from agentdoctor.host import Host
from agentdoctor.layout import settings

_METADATA = "169.254.169.254"
_LOOKS, _BETWEEN = 5, 0.1  # seconds


def state(pid: int) -> str | None:
    """The letter of proc_pid_stat(5): R, S, D, T, t, Z or I. None if it has ended.

    Everybody who reads a disk is in D for a moment, so D and T count only when they last for half a second.
    """
    for _ in range(_LOOKS - 1):
        seen = _stat(pid)
        if seen is None or seen[0] not in "DTt":
            return seen[0] if seen else None
        time.sleep(_BETWEEN)
    seen = _stat(pid)
    return seen[0] if seen else None


def cpu_seconds(pid: int) -> float | None:
    """Processor time of a process and its threads, None if it has ended."""
    seen = _stat(pid)
    return round((int(seen[11]) + int(seen[12])) / os.sysconf("SC_CLK_TCK"), 2) if seen else None


def _stat(pid: int) -> list[str] | None:
    """The fields of proc_pid_stat(5) from the third on: the second may hold blanks and brackets."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def connections(pid: int, ports: frozenset[int]) -> int | None:
    """Its established TCP connections to one of these ports; None if we may not see them, or it has ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        # The first name is that of psutil 6 and later, the second of those before.
        ask = getattr(process, "net_connections", None) or process.connections
        found = ask(kind="tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    far = [one.raddr for one in found if one.status == psutil.CONN_ESTABLISHED and one.raddr]
    return len([address for address in far if address.port in ports and address.ip != _METADATA])


def children(pid: int) -> int | None:
    """How many living processes it has started, hooks at work above all; None if it has ended."""
    import psutil

    try:
        found = psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return None
    return len([child for child in found if (_stat(child.pid) or "Z")[0] != "Z"])


def ports(host: Host) -> frozenset[int]:
    """The ports at which the agent reaches CodeDeploy: 443, and what its configuration names instead."""
    return frozenset({443, *_configured(settings(host))})


def _configured(values: Mapping[str, str]) -> list[int]:
    addresses = filter(None, (values.get("deploy_control_endpoint"), values.get("proxy_uri")))
    found = []
    for address in addresses:
        port = re.search(r":(\d{1,5})/?$", address, re.ASCII)
        found.append(int(port[1]) if port else 80 if address.startswith("http://") else 443)
    return found
