"""Running commands: how long, how much memory, and two of them by turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
OURS = (sys.executable, "-m", "agentdoctor")
_MEMORY = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


@dataclass(frozen=True)
class Command:
    """A command line, what it must print to show that it did its work, and the exit codes that say so."""

    argv: tuple[str, ...]
    shows: str = ""
    good: tuple[int, ...] = (0,)


def ours(*arguments: str, shows: str = "") -> Command:
    """agentdoctor as it is here, with the interpreter that runs this."""
    return Command((*OURS, *arguments), shows, good=(0, 1, 2, 3))  # verdicts all four; ``shows`` tells 3 from a failure


def seconds(command: Command) -> float:
    """Wall time of one run. SystemExit when the command fails: the time of a failure is no measurement."""
    begin = time.perf_counter()
    done = subprocess.run(command.argv, stdin=subprocess.DEVNULL, capture_output=True, cwd=TOP, check=False)
    took = time.perf_counter() - begin
    if done.returncode not in command.good or command.shows.encode() not in done.stdout:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-600:]
        raise SystemExit(f"{' '.join(command.argv)[:200]}: exit code {done.returncode}: {said}")
    return took


def peak_mb(command: Command) -> float:
    """The most memory a run ever held, in MB of 2**20 bytes (ru_maxrss).

    A small process starts it: Linux counts the memory of whoever called exec as the child's own.
    """
    argv = [sys.executable, "-I", "-S", "-c", _MEMORY, *command.argv]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=TOP, check=True)
    code, kilobytes = done.stdout.split()
    if int(code) not in command.good:
        raise SystemExit(f"{' '.join(command.argv)[:200]}: exit code {code}: {done.stderr.strip()[-600:]}")
    return int(kilobytes) / 1024


def by_turns(works: Sequence[Callable[[], float]], rounds: int, tell: Callable[[str], None]) -> list[tuple[float, ...]]:
    """Measure each work once per round, A B A B, after one round that does not count: caches fill, .pyc are made."""
    results = []
    for number in range(rounds + 1):
        tell(f"round {number} of {rounds}")
        results.append(tuple(work() for work in works))
    return results[1:]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def warm(path: Path) -> None:
    """Bring a file into the page cache: disks are not what is compared."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


def cores() -> int:
    return len(os.sched_getaffinity(0))
