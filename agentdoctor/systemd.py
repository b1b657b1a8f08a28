"""Talking to the service manager: one datagram a message (sd_notify(3)). Without one nothing is said."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from agentdoctor.scrub import line


def notify(*fields: str) -> bool:
    """Send fields such as READY=1 or STATUS=text; whether there is a manager that got them."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # the abstract namespace
        address = "\0" + address[1:]
    text = "\n".join(field.replace("\n", " ") for field in fields)
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager,
    ):
        manager.sendto(text.encode("utf-8", "replace"), address)
        return True
    return False


def say(priority: int, text: str) -> None:
    """A line of our own in the journal, of a priority of syslog(3): 3 error, 4 warning, 5 notice, 6 information."""
    with contextlib.suppress(OSError):  # nobody reads
        os.write(2, f"<{priority}>agentdoctor: {line(text)}\n".encode("utf-8", "replace"))


def reloading() -> None:
    """Say that a reload begins; READY=1 ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def watchdog_seconds() -> float | None:
    """How long the manager waits for WATCHDOG=1 before it restarts us; None when it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(microseconds) / 1e6 if microseconds.isdecimal() and mine else None
