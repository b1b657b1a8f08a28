"""Whether the agent's log lives: when it was written last, and what stands at its end."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import timezone

from agentdoctor import layout
from agentdoctor.grammars import epoch
from agentdoctor.host import Host
from agentdoctor.layout import Layout
from agentdoctor.probes import Look, Values, probe

TAIL = 64 * 1024
GRACE = 300.0  # seconds by which a deployment must be newer than the log to have gone unlogged
_PAUSE = 30.0  # between two polls, where the configuration says nothing (lib/instance_agent/config.rb of 1.8.1)
# The bracket is there in a line of 1.x, whose stamps are local; those of 2.x are UTC.
_ENTRY = re.compile(rb"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d) {1,2}[A-Z]{4,7} +(\[[^\]()]*\(\d+\)\]: )?", re.MULTILINE)
_POLL = re.compile(rb"\[Aws::CodeDeployCommand::Client \d+ [^\]\n]*\] poll_host_command\(")
_DEPLOYMENT = re.compile(r"d-[A-Z0-9]{9}")  # codedeploy-local adds "-local", and logs elsewhere


@probe("log.activity", source="log", live=False)
def activity(look: Look) -> Values:
    """``{path, exists, size, torn_end, age_seconds, quiet_seconds, last_stamp_age, last_poll_age, deployments_after}``.

    Of the agent log; its last 64 KiB are read. ``age_seconds``: since the last write to it, or to one that was
    rolled away: whoever renames the log under the agent makes it write there. Of a copied tree it is the age of
    the last stamp, since copies lose their times, and None where nobody knows when the copy was made.
    ``quiet_seconds``: the same without the agent's own pause between polls and the time the host was asleep.
    ``last_poll_age``: of the last poll line of 1.x, None if none is there. ``torn_end``: the last line has no end.
    ``deployments_after``: deployments whose folder was changed five minutes and more after the last write.
    """
    host, known = look.host, layout.read(look.host)
    path = f"{known.log_dir}/{known.program_name}.log"
    try:
        status, text = host.tail(path, TAIL)
        size, written = status.st_size, status.st_mtime
    except (FileNotFoundError, NotADirectoryError):
        size, written, text = None, None, b""
    last, poll = _last(host, text)
    now = host.now() if host.live or host.taken_at is not None else None
    newest = max([*_rolled(host, known), *filter(None, [written])], default=None) if host.live else last
    age = _age(now, newest)
    return {
        "path": path,
        "exists": size is not None,
        "size": size or 0,
        "torn_end": not text.endswith(b"\n") if text else None,
        "age_seconds": age,
        "quiet_seconds": None if age is None else max(0.0, round(age - _pause(host) - _asleep(host), 1)),
        "last_stamp_age": _age(now, last),
        "last_poll_age": _poll_age(_age(now, written if host.live else last), last, poll),
        "deployments_after": _later(host, known, newest + GRACE) if host.live and newest is not None else None,
    }


def _age(now: float | None, at: float | None) -> float | None:
    """Of something, 0 if its time is yet to come."""
    return None if now is None or at is None else max(0.0, round(now - at, 1))


def _poll_age(age: float | None, last: float | None, poll: float | None) -> float | None:
    """The last line is as old as the file; so much older is the poll, in whatever zone both are stamped."""
    return None if age is None or last is None or poll is None else round(age + max(0.0, last - poll), 1)


def _last(host: Host, text: bytes) -> tuple[float | None, float | None]:
    """When the last entry was written, and the last poll of 1.x, by their stamps."""
    last = poll = None
    for entry in _ENTRY.finditer(text):
        at = epoch(entry[1].decode(), host.zone() if entry[2] else timezone.utc)
        last = last if at is None else at
        if entry[2] and _POLL.match(text, entry.end()):
            poll = last
    return last, poll


def _pause(host: Host) -> float:
    said = layout.settings(host).get("wait_between_runs", "")
    return float(said) if re.fullmatch(r"\d{1,6}", said, re.ASCII) else _PAUSE


def _asleep(host: Host) -> float:
    """Seconds for which the host was suspended since it booted: one clock counts them, the other does not."""
    if not host.live:
        return 0.0
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC))


def _rolled(host: Host, known: Layout) -> Iterator[float]:
    """When each of the rolled logs was written last."""
    name = re.compile(rf"{re.escape(known.program_name)}(\.\d{{8}}(\.\d+)?)?\.log([.-]\d+)?")
    try:
        names = host.listing(known.log_dir)
    except (FileNotFoundError, NotADirectoryError):
        return
    for each in filter(name.fullmatch, names):
        yield from _changed(host, f"{known.log_dir}/{each}")


def _later(host: Host, known: Layout, after: float) -> int | None:
    """How many deployments have a folder that was changed later; None if we may not know."""
    try:
        return sum(at > after for folder in _deployments(host, known.root_dir) for at in _changed(host, folder))
    except PermissionError:
        return None


def _deployments(host: Host, root: str) -> Iterator[str]:
    """The folders of deployments, ``root/group/d-XXXXXXXXX``."""
    for group in _names(host, root):
        for name in _names(host, f"{root}/{group}"):
            if _DEPLOYMENT.fullmatch(name):
                yield f"{root}/{group}/{name}"


def _names(host: Host, folder: str) -> list[str]:
    try:
        return host.listing(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _changed(host: Host, path: str) -> Iterator[float]:
    try:
        yield os.stat(host.path(path)).st_mtime
    except FileNotFoundError:
        return  # rotated or cleaned away just now
