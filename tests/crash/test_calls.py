"""R9 and R10 at system calls, by strace: killed there, or the call fails. At each of them with AGENTDOCTOR_LONG=1."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from posting import LONG, START

from crash.life import Points
from crash.test_disk import ENVIRONMENT
from crash.test_kill import lived
from crash.truth import Account, script

WRITES = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "unlink", "openat")
FEW = 1  # points of each test by default: each takes a new interpreter
FILES = ("", "/lock", "/state.db", "/state.db-wal", "/state.db-shm")  # of the state


@cache
def tracing() -> bool:
    """Whether system calls can be had by the tail."""
    strace = shutil.which("strace")
    return bool(strace) and subprocess.run([str(strace), "-qq", "-o", os.devnull, "true"], check=False).returncode == 0


@pytest.fixture
def traced() -> None:
    if not tracing():
        pytest.skip("no strace, or it may not trace")


def life(account: Account, *trace: str, paths: Sequence[str]) -> int:
    """The exit code of a life, of whose system calls on these files some are tampered with."""
    strace = ["strace", "-qq", "-f", *trace, *(f"-P{account.directory}/{path}" for path in paths)]
    command = [*strace, sys.executable, "-m", "crash.life", str(account.directory), str(START)]
    bear = ["bear"] if any("error=" in each for each in trace) else []
    before = len(account.arrived())
    status = subprocess.run([*command, *bear], check=False, env=ENVIRONMENT, cwd="/", capture_output=True).returncode
    if status == -signal.SIGKILL:
        account.died(before)
    return status


def begun(directory: Path) -> Account:
    directory.mkdir()
    (directory / "log").write_text(script(random.Random(3), 12))
    return Account(directory)


def chosen(directory: Path, calls: Sequence[str], paths: Sequence[str]) -> list[tuple[str, int]]:
    """Calls that a life makes on files, by name and number: all of them, or a few that are the same each time."""
    account, out = begun(directory), directory / "calls"
    assert life(account, "-o", str(out), "-e", f"trace={','.join(calls)}", paths=paths) == 0
    account.check()
    found = Counter(re.findall(r"^(?:\d+ +)?(\w+)\(", out.read_text(), re.MULTILINE))
    every = [(name, number) for name in calls for number in range(1, found[name] + 1)]
    assert len(every) > 50
    return every if LONG else random.Random(5).sample(every, FEW)


def test_r9_killed_at_a_system_call(traced: None, memory: Path, record_property: pytest.RecordProperty) -> None:
    paths = [*(f"state{name}" for name in FILES), "topic"]
    points, duplicates = chosen(memory / "whole", WRITES, paths), 0
    for name, number in points:
        account = begun(memory / f"{name}{number}")
        inject = f"inject={name}:signal=SIGKILL:when={number}"
        assert life(account, "-o", os.devnull, "-e", inject, paths=paths) == -signal.SIGKILL, (name, number)
        assert lived(account, 1, Points())
        account.check()
        duplicates += account.duplicates
    line = f"killed at {len(points)} system calls: 0 lost, {duplicates} told twice, all of them unrecorded"
    record_property("calls", line)
    print(line)


FAULTS = {
    "full once": ("ENOSPC", ""),
    "full for some time": ("ENOSPC", "..{}"),
    "an error": ("EIO", ""),
    "errors for some time": ("EIO", "..{}"),
}


@pytest.mark.parametrize(("error", "times"), FAULTS.values(), ids=FAULTS)
def test_r10_a_system_call_fails(
    error: str, times: str, traced: None, memory: Path, record_property: pytest.RecordProperty
) -> None:
    """The process goes on, tells all of it once, writes all of it in the end, and sets nothing aside."""
    paths = [f"state{name}" for name in FILES]
    calls = WRITES if error == "ENOSPC" else (*WRITES, "pread64")
    points = chosen(memory / "whole", calls, paths)
    for name, number in points:
        account = begun(memory / f"{name}{number}")
        inject = f"inject={name}:error={error}:when={number}{times.format(number + 9)}"
        assert life(account, "-o", os.devnull, "-e", inject, paths=paths) == 0, inject
        account.check()
        assert account.duplicates == 0, inject
        assert lived(account, 1, Points()), inject
    record_property("calls", line := f"{error} at {len(points)} system calls: 0 lost, 0 told twice, 0 set aside")
    print(line)
