"""The agent's processes, and the pid file that should name one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from agentdoctor import layout
from agentdoctor.probes import CannotLook, Look, Values, _work, probe
from agentdoctor.probes._tracking import ongoing

MASTER, WORKER = "master", "worker"
# Of the 2.x program (agent-2x main.rs): the first of these words in a command line is what it was started for.
_COMMANDS = ("start", "worker", "stop", "restart", "status", "update", "deploy-local")
_PID_LIMIT = 1 << 22  # PID_MAX_LIMIT of the kernel, include/linux/threads.h


class Seen(NamedTuple):
    """One process. ``started`` in seconds since the epoch."""

    pid: int
    ppid: int
    cmdline: tuple[str, ...]
    started: float


class Part(NamedTuple):
    """A process that is the agent: which role in which generation."""

    role: str
    generation: str


def classify(seen: Seen, program: str = "codedeploy-agent") -> Part | None:
    """What a process is to the agent; None for whatever only mentions the agent's name.

    1.x writes its state over its own argument list, padded with NULs: ``codedeploy-agent: master 812`` with its
    own pid, ``...CommandPoller of master 812`` in the child, whose parent that is (process_manager-0.0.13,
    master.rb and child.rb). 2.x leaves it alone: ``/opt/codedeploy-agent/bin/codedeploy-agent start`` and
    ``worker``. A child that is still booting is neither.
    """
    title = " ".join(word for word in seen.cmdline if word)
    found = re.match(re.escape(program) + r": (?:(\S+CommandPoller) of )?master (\d+)(?: |$)", title)
    if found:
        if found[1]:
            return Part(WORKER, "1.x")
        return Part(MASTER, "1.x") if int(found[2]) == seen.pid else None
    if not seen.cmdline or os.path.basename(seen.cmdline[0]) != "codedeploy-agent":
        return None
    command = next((word for word in seen.cmdline[1:] if word in _COMMANDS), "")
    return {"start": Part(MASTER, "2.x"), "worker": Part(WORKER, "2.x")}.get(command)


def census(processes: Iterable[Seen], now: float, program: str = "codedeploy-agent") -> Values:
    """The values of process.agent for a list of processes."""
    parts = [(seen, part) for seen in processes if (part := classify(seen, program))]
    workers = sorted((pair for pair in parts if pair[1].role == WORKER), key=lambda pair: pair[0].started)
    parents = {seen.ppid for seen, _ in workers}
    # Of two masters the one with a child is the one at work; the other is about to give up.
    masters = sorted(
        (pair for pair in parts if pair[1].role == MASTER),
        key=lambda pair: (pair[0].pid in parents, pair[0].started),
    )
    master = masters[-1] if masters else None
    worker = workers[-1] if workers else None
    any_part = master or worker
    return {
        "running": master is not None,
        "generation": any_part[1].generation if any_part else "",
        "master_pid": master[0].pid if master else 0,
        "master_started": master[0].started if master else None,
        "master_age": round(now - master[0].started, 1) if master else None,
        "workers": len(workers),
        "worker_pid": worker[0].pid if worker else 0,
        "worker_started": worker[0].started if worker else None,
        "worker_age": round(now - worker[0].started, 1) if worker else None,
    }


@probe("process.agent", source="process")
def agent(look: Look) -> Values:
    """``{running, generation, workers}``, and ``pid``, ``started`` and ``age`` of ``master_`` and ``worker_`` each.

    ``running``: a master lives. Of several workers the youngest is described. Times in seconds since the epoch,
    None where there is no such process; pids 0. CannotLook when processes of others are hidden from us. What runs in a
    container is not this host's agent.
    """
    import psutil

    program = layout.read(look.host).program_name
    processes = (seen for pid in psutil.pids() if (seen := see(pid)) and classify(seen, program))
    values = census((seen for seen in processes if not in_container(seen.pid)), look.host.now(), program)
    if not values["running"]:
        check_sight()
    return values


def see(pid: int) -> Seen | None:
    """One process, None if it is gone, a zombie, a thread of the kernel, or hidden from us.

    psutil.process_iter would share its Process objects with the probes that run at the same time.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        words = process.cmdline()
        return Seen(pid, process.ppid(), tuple(words), process.create_time()) if words else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def in_container(pid: int, proc: str = "/proc") -> bool:
    """Whether a process has another number where it lives: pids of nested namespaces, proc(5), NSpid in status."""
    try:
        with open(f"{proc}/{pid}/status", encoding="utf-8", errors="replace") as file:
            found = re.search(r"^NSpid:((?:\s+\d+)+)$", file.read(), re.MULTILINE)
    except OSError:
        return False  # gone
    return found is not None and len(found[1].split()) > 1


def check_sight() -> None:
    """Refuse to say what does not run on a /proc mounted with hidepid, which shows only our own processes."""
    import psutil

    try:
        psutil.Process(1).cmdline()
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        raise CannotLook("/proc hides the processes of others (hidepid); look as root") from None


@probe("process.pidfile", source="process")
def pidfile(look: Look) -> Values:
    """``{present, empty, pid, alive, is_agent}``: whom the pid file names (0: nobody), and whether that is the agent.

    ``alive`` is all that 2.x asks and much of what 1.x did: a pid used again by another program passes.
    """
    import psutil

    known = layout.read(look.host)
    try:
        text = look.host.read(known.pid_file, 4096).strip()
    except (FileNotFoundError, NotADirectoryError):
        return {"present": False, "empty": False, "pid": 0, "alive": False, "is_agent": False}
    pid = int(text) if re.fullmatch(r"[0-9]{1,7}", text) and int(text) <= _PID_LIMIT else 0
    alive = pid > 0 and psutil.pid_exists(pid)
    seen = see(pid) if alive else None
    part = classify(seen, known.program_name) if seen else None
    if alive and not seen:
        check_sight()
    is_agent = part is not None and part.role == MASTER
    return {"present": True, "empty": not text, "pid": pid, "alive": alive, "is_agent": is_agent}


@probe("process.work", source="process")
def work(look: Look) -> Values:
    """``{connections, cpu_seconds, state, children, deploying}``: whether the agent's worker is at work.

    ``connections``: established ones to port 443 or where the configuration leads; a long poll is one. ``state``:
    the letter of proc_pid_stat(5), D and T only if they last. ``children``: hooks that it runs. ``deploying``: a
    lifecycle event is noted as running. Each None if it could not be learned. Skipped where there is no worker.
    """
    pid = look.value("process.agent").get("worker_pid")
    if not pid:
        raise CannotLook("the agent has no worker", skip=True)
    try:
        deploying = bool(ongoing(look.host))
    except OSError:
        deploying = None
    return {
        "connections": _work.connections(pid, _work.ports(look.host)),
        "cpu_seconds": _work.cpu_seconds(pid),
        "state": _work.state(pid),
        "children": _work.children(pid),
        "deploying": deploying,
    }
