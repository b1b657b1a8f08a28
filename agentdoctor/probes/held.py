"""What the agent's processes hold that was deleted under them: the directory they stand in, the log they write."""

from __future__ import annotations

import os
import re

from agentdoctor import layout
from agentdoctor.probes import CannotLook, Look, Values, probe

_GONE = " (deleted)"  # what the kernel puts behind the name of what was deleted: d_path, fs/d_path.c


@probe("held.deleted", source="process")
def deleted(look: Look) -> Values:
    """``{cwd_deleted, cwd, log_deleted, log}`` of the agent's master and worker, by /proc (proc(5)).

    ``cwd``: of the worker, or the master's if only that was deleted. ``log``: the agent log that the worker has
    open, or else the master, "" where neither has one. The worker's counts because it is the one that writes; a
    master may keep a log that its worker rolled away long ago. None for what ended while it was looked at.
    Skipped where no agent runs; CannotLook for all but root, since 2.x hides its descriptors from its own user.
    """
    agent = look.value("process.agent")
    pids = [pid for pid in (agent.get("worker_pid"), agent.get("master_pid")) if pid]
    if not pids:
        raise CannotLook("no process of the agent runs", skip=True)
    try:
        places = [place for pid in pids if (place := _link(f"/proc/{pid}/cwd"))]
        logs = [_log(pid, layout.read(look.host).program_name) for pid in pids]
    except PermissionError:
        raise CannotLook("only root may see what the agent's processes hold") from None
    cwd = next(filter(_gone, places), places[0] if places else "")
    log = next(filter(None, logs), "")
    return {
        "cwd_deleted": _gone(cwd) if places else None,
        "cwd": cwd.removesuffix(_GONE),
        "log_deleted": _gone(log) if places else None,
        "log": log.removesuffix(_GONE),
    }


def _link(path: str) -> str:
    """Where a link of /proc leads, "" when its process has ended."""
    try:
        return os.readlink(path)
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _gone(target: str) -> bool:
    return target.endswith(_GONE) and not os.path.lexists(target)


def _log(pid: int, program: str) -> str:
    """The agent log that a process has open, one that is there before a deleted one: it writes to the first.

    By its name alone, present or rolled: the directory may be that of an older configuration.
    """
    name = re.compile(rf"{re.escape(program)}(\.\d{{8}}(\.\d+)?)?\.log([.-]\d+)?({re.escape(_GONE)})?")
    folder = f"/proc/{pid}/fd"
    try:
        targets = [_link(f"{folder}/{number}") for number in os.listdir(folder)]
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return min((x for x in targets if name.fullmatch(os.path.basename(x))), key=_gone, default="")
